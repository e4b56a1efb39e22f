"""Tasks: what the service cannot settle is a piece of work for a person, with an owner and a due time."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from msgspec import Meta

from contracts.barriers import BarrierCode
from contracts.base import Id, Instant, Tally, Version, Wire
from contracts.codes import Role
from contracts.event_types import event
from contracts.geo import WindowView
from contracts.outside import refuse_blank
from contracts.paging import PageSize
from contracts.patterns import whole
from contracts.streams import To

MAX_COMMENTS = 50

TaskId = Annotated[
    str,
    Meta(
        pattern=whole("[A-Za-z0-9_-]{1,64}(\\.[0-9]{1,4})?\\.[a-z0-9_]{1,48}"),
        description="what it is about (a request, an offer, an authorization), a dot, its kind"
        " (and, where there may be several: the report before it, or its number)",
    ),
]
Person = Annotated[
    str,
    Meta(
        pattern=whole("[A-Za-z0-9_.@-]{1,64}"),
        description="who, as your directory names them: letters, digits, . _ @ -",
    ),
]
TaskCursor = Annotated[
    str, Meta(pattern=whole("([0-9]{1,16}\\.[A-Za-z0-9_.-]{1,126})?"), description="of the page before")
]


class OwnerRole(StrEnum):
    """Who owns a task: the how and when, the what and why, the day itself, or what was asked."""

    CARE_COORDINATOR = "care_coordinator"
    CASE_MANAGER = "case_manager"
    OPS = "ops"
    PLATFORM = "platform"  # who submitted it, and speaks for its patient


class TaskKind(StrEnum):
    """Why a person is needed."""

    UNMATCHED = "unmatched"  # no vendor was found by the deadline, or nobody is left to ask before it
    OVERDUE = "overdue"  # a vendor should have reported, and has not
    NO_SHOW = "no_show"  # the patient was not there
    FAILED = "failed"  # the work was not done
    SEQUENCE_AT_RISK = "sequence_at_risk"  # what goes before it is late, or will not be done
    UNREADABLE = "unreadable"  # something that is stored of the request cannot be read, or not be planned
    PREDECESSOR_MISSING = "predecessor_missing"  # it is on hold for a predecessor that somebody has to see to
    POSSIBLE_DUPLICATE = "possible_duplicate"  # the same patient has the like at that time already
    AMENDMENT_REFUSED = "amendment_refused"  # its vendor does not agree to the change
    NOTIFICATION = "notification"  # patient or coordinator could not be told
    WILL_CALL = "will_call"  # a return that nobody has called for yet
    BUNDLE_FAILED = "bundle_failed"  # a part of what is all or none will not be done: the rest was given back
    AUTHORIZATION_MISSING = "authorization_missing"  # it is on hold until it is authorized
    AUTHORIZATION_RUNNING_OUT = "authorization_running_out"  # little is left of what was authorized
    COUNTER_OFFER = "counter_offer"  # a vendor would do the work otherwise than it was offered
    OCCURRENCE_MISSING = "occurrence_missing"  # a standing order's day could not be made
    WINDOW_ASKED = "window_asked"  # dispatchers ask whether it may start in a wider window
    CANARY_ROLLED_BACK = "canary_rolled_back"  # a tuning that was tried did harm, and was taken back
    PRICE_DISPUTE = "price_dispute"  # a line of a dispatch's price is said to be wrong
    PROOF_MISSING = "proof_missing"  # work was done, and the proof that its market wants is not there
    WEBHOOK_FAILING = "webhook_failing"  # a webhook takes nothing: what it should have is dead letters
    CREDENTIAL_EXPIRING = "credential_expiring"  # a vendor's paper runs out, or has: no offers then
    SCORE_DISPUTE = "score_dispute"  # a vendor says that an outcome on its scorecard is wrong
    STATEMENT_DISPUTE = "statement_dispute"  # the same of a statement's, its request forgotten
    DISPATCH_BEYOND_CREDENTIAL = "dispatch_beyond_credential"  # it begins when a paper that it needs is over
    VENDOR_SUSPENDED = "vendor_suspended"  # ops has suspended a vendor that has work
    UNREAD_MESSAGE = "unread_message"  # a vendor wrote about a dispatch, and nobody has read it


class TaskState(StrEnum):
    """The life of a task; the table is in `dispatcher.domain.tasks`."""

    OPEN = "open"
    CLAIMED = "claimed"
    DONE = "done"


class TaskOutcome(StrEnum):
    """How a task ended."""

    RESOLVED = "resolved"  # what it asked for was done
    ARRANGED_OTHERWISE = "arranged_otherwise"  # by other means than this service
    NOT_NEEDED = "not_needed"
    SETTLED = "settled"  # by itself: the report came, the request moved on
    LAPSED = "lapsed"  # nobody ended it, and its request was forgotten


BY_ITSELF = frozenset({TaskOutcome.SETTLED, TaskOutcome.LAPSED})


class TaskComment(Wire):
    """What somebody wrote on a task; encrypted at rest, for it may name a patient."""

    at: Instant
    by: str
    text: str


class TaskView(Wire):
    """A task, for all but vendors."""

    id: TaskId
    kind: TaskKind
    request_id: str = ""  # what it is about: a request, or one of the others below
    authorization_id: str = ""
    standing_order_id: str = ""
    offer_id: str = ""
    state: TaskState
    owner: OwnerRole
    version: Version
    code: str = ""  # what the request said when it was opened: the last rule, the vendor's code
    opened_at: Instant
    due_at: Instant
    escalations: Tally = 0
    claimed_by: str = ""
    outcome: TaskOutcome | None = None
    ended_at: Instant | None = None
    comments: tuple[TaskComment, ...] = ()
    barrier_asked: bool = False  # finishing it may say why the request ended without its service
    retiming: str = (
        ""  # of a sequence at risk: what became of asking its vendor for another start (an outcome)
    )
    could: tuple[str, ...] = ()  # and what somebody could do about it now: operations of this API
    given_back: tuple[Id, ...] = ()  # of a bundle that failed: what is not done now, its vendors relieved
    left: tuple[str, ...] = ()  # and what is done, or under way at the door, and stays; of a vendor that
    # is suspended its offers and dispatches (the first 200; `code` says how many there are)
    rules: tuple[str, ...] = ()  # of an amendment that is unfit: which its vendor would break
    window: WindowView | None = None  # of a wider window that is asked for: which
    webhook_id: str = ""  # or a webhook is what it is about
    vendor_id: str = ""  # or a vendor's paper, of a dispatch too
    may_act: tuple[Role, ...] = ()  # who may claim, put back and finish it; whoever reads it may comment


class TaskQuery(Wire):
    """Which tasks to list, the earliest due first; by default all that are not done."""

    role: OwnerRole | None = None
    state: TaskState | None = None
    due_before: Instant | None = None
    cursor: TaskCursor = ""
    limit: PageSize = 50


class TaskPage(Wire, omit_defaults=False):
    """Tasks by due time; `cursor` is empty on the last page."""

    tasks: tuple[TaskView, ...] = ()
    cursor: str = ""


class Claim(Wire):
    """Somebody takes a task on; left out: whoever the token names."""

    by: Person | None = None


class Finish(Wire):
    """A task is done."""

    outcome: TaskOutcome = TaskOutcome.RESOLVED
    by: Person | None = None
    barrier: BarrierCode | None = None  # of its request, which ended without its service

    def __post_init__(self) -> None:
        """Refuse an outcome that only the service can know."""
        if self.outcome in BY_ITSELF:
            raise ValueError(
                f"{self.outcome} is how a task ends by itself\n"
                "Maybe resolved, arranged_otherwise or not_needed."
            )


class Comment(Wire):
    """A word on a task."""

    text: Annotated[str, Meta(min_length=1, max_length=1_000)]
    by: Person | None = None

    def refuse_from_outside(self, pointer: str = "") -> None:
        """Refuse one that shows nothing."""
        refuse_blank(f"{pointer}/text", self.text)


@event(
    "dispatch.task.opened",
    "dispatch.task.claimed",
    "dispatch.task.escalated",
    "dispatch.task.done",
    to=To.EVENTS,
)
class TaskChanged(Wire):
    """A task was opened (put back, or open again), claimed, escalated or done; `due_at`: when it was due."""

    task_id: TaskId
    kind: TaskKind
    request_id: str = ""  # what it is about: a request, or one of the others below
    authorization_id: str = ""
    standing_order_id: str = ""
    state: TaskState
    owner: OwnerRole
    due_at: Instant
    by: str = ""
    outcome: TaskOutcome | None = None
    webhook_id: str = ""
    vendor_id: str = ""
