"""Every way in which what care keeps can be damaged: episodes, bundles, tasks, authorizations and more."""

from msgspec.structs import replace

from contracts.codes import RequestState, Requirement
from contracts.prices import PriceKind
from contracts.tasks import OwnerRole, TaskKind, TaskOutcome, TaskState
from dispatcher.domain.context import Context
from dispatcher.domain.episodes import EPISODE_KIND, Episode
from dispatcher.domain.links import Link
from dispatcher.domain.needed import Needed
from dispatcher.domain.notifications import NOTIFICATION_KIND
from dispatcher.domain.prices import Dispute, Line, Wait
from dispatcher.domain.standing_orders import Dealt
from dispatcher.domain.tasks import TASK_KIND, done, opened
from dispatcher.domain.threads import THREAD_KIND
from dispatcher.store import codec
from tests.audit.care_made import (
    DAILY,
    DAYS,
    NEXT,
    NOTE,
    ORPHAN,
    SETTLED_AT,
    TASK,
    THREAD,
    WAITING,
    asked,
    asked_otherwise,
    authorized,
    bundled,
    dealt,
    in_bundle,
    made_alone,
    made_by,
    offered_alone,
    offered_otherwise,
    on_two_rides,
)
from tests.audit.hurting import Damage, both, stored, written
from tests.store.made import (
    NOW_MS,
    booking,
    moved,
    record,
)

CARE_DAMAGES: dict[str, tuple[Damage, set[str], str]] = {  # what was done, the rules it breaks, what is told
    "a person is needed, and nobody is asked": (
        written(moved(record("b"), RequestState.UNMATCHED)),
        {"lists", "tasks", "told"},
        "is unmatched and has no open task unmatched",
    ),
    "a task that is gone": (
        written(replace(record("b"), tasks=("b.1.overdue",))),
        {"tasks"},
        "names task b.1.overdue, which is not there",
    ),
    "a task without its request": (
        lambda raw, keys: raw.set(keys.record(TASK_KIND, "gone.unmatched"), codec.pack(1, ORPHAN)),
        {"lists", "tasks"},
        "has outlived its request",
    ),
    "a task that another owns": (
        asked(replace(TASK, owner=OwnerRole.CASE_MANAGER)),
        {"tasks"},
        "is owned by case_manager, who has nothing to do with it",
    ),
    "a task that is claimed by nobody": (
        asked(replace(TASK, state=TaskState.CLAIMED)),
        {"tasks"},
        "is claimed by nobody",
    ),
    "a task that is done and has no outcome": (
        asked(replace(TASK, state=TaskState.DONE)),
        {"tasks"},
        "is done with the outcome None",
    ),
    "a task that its request does not name": (
        stored(TASK_KIND, TASK),
        {"tasks"},
        "is not named by request b",
    ),
    "a task about what is over": (
        both(
            stored(TASK_KIND, TASK),
            written(replace(moved(record("b"), RequestState.CANCELLED), tasks=(TASK.id,))),
        ),
        {"tasks", "lists", "told"},
        "is open, and its request is cancelled",
    ),
    "a task that ended by itself, and is needed": (
        both(
            stored(
                TASK_KIND,
                done(
                    opened(TaskKind.UNMATCHED, "b", Context(now_ms=NOW_MS)), SETTLED_AT, TaskOutcome.SETTLED
                ),
            ),
            written(replace(moved(record("b"), RequestState.UNMATCHED), tasks=("b.unmatched",))),
        ),
        {"tasks", "lists", "told"},
        "is unmatched and has no open task unmatched",
    ),
    "a thread about nothing": (
        stored(THREAD_KIND, THREAD),
        {"threads"},
        "has outlived what it is about",
    ),
    "in an episode that is not there": (
        written(replace(record("b"), episode="e1")),
        {"episodes"},
        "belongs to episode e1, which is not there",
    ),
    "in an episode that does not say so": (
        both(bundled(0, ()), written(replace(record("b"), episode="e1"))),
        {"episodes"},
        "belongs to episode e1, which does not say so",
    ),
    "named by an episode, and does not say so": (
        stored(EPISODE_KIND, Episode("e1", 1, NOW_MS, NOW_MS, ("b",))),
        {"episodes"},
        "names request b, which does not say so",
    ),
    "all or none until another time": (
        both(bundled(NOW_MS, ("b",)), written(in_bundle("b"))),
        {"episodes"},
        "its episode until",
    ),
    "half of a bundle that has failed": (
        both(
            bundled(),
            written(moved(in_bundle("a"), RequestState.CANCELLED)),
            written(in_bundle("b")),
        ),
        {"bundles", "lists", "ledger"},
        "goes on, and its bundle e1 has failed",
    ),
    "half of a bundle that was offered": (
        both(bundled(), offered_alone, written(in_bundle("b"))),
        {"bundles"},
        "was never offered, and others of its bundle e1 were",
    ),
    "a day that is dealt with twice": (
        made_by(replace(DAILY, dealt=dealt(DAYS[0], DAYS[0])), "so1-20261123"),
        {"standing orders", "told"},
        "has dealt with 2026-11-23 2 times",
    ),
    "a day between others that is left out": (
        made_by(replace(DAILY, dealt=dealt(DAYS[0], DAYS[2])), "so1-20261123", "so1-20261125"),
        {"standing orders", "told"},
        "has not dealt with 2026-11-24, and has with 2026-11-25",
    ),
    "an occurrence of another day": (
        made_by(
            replace(DAILY, dealt=(Dealt("2026-11-23", ("so1-20261124",)),)),
            "so1-20261124",
        ),
        {"standing orders", "told"},
        "made so1-20261124 for 2026-11-23",
    ),
    "an occurrence that its order does not know": (
        made_by(replace(DAILY, dealt=dealt(DAYS[0])), "so1-20261123", "so1-20261124"),
        {"standing orders", "told"},
        "was made by standing order so1, which does not say so",
    ),
    "told twice": (
        both(stored(NOTIFICATION_KIND, NOTE), stored(NOTIFICATION_KIND, replace(NOTE, id="n2"))),
        {"notifications"},
        "has 2 notifications arriving of one time: n1, n2",
    ),
    "after what is not there": (
        written(replace(record("b"), after=(Link(request_id="gone"),))),
        {"sequence"},
        "waits for gone, which is not there",
    ),
    "after what knows nothing of it": (
        written(replace(record("b"), after=(Link(request_id="a"),))),
        {"sequence"},
        "goes after a, which does not say so",
    ),
    "before what knows nothing of it": (
        written(replace(record("b"), before=("a",))),
        {"sequence"},
        "names a as what goes after it, which does not say so",
    ),
    "at risk, and nobody is asked": (
        written(replace(record("b"), risk="predecessor_late")),
        {"tasks"},
        "is received and has no open task sequence_at_risk",
    ),
    "not called, and nobody is asked": (
        written(replace(moved(record("b"), RequestState.ON_HOLD), requirements=(Requirement.ACTIVATION,))),
        {"tasks", "lists", "told"},
        "is on_hold and has no open task will_call",
    ),
    "back, and not there": (
        made_alone,
        {"legs", "lists", "ledger"},
        "its leg there, a, is cancelled",
    ),
    "on two rides at once": (
        on_two_rides,
        {"patients", "table", "lists", "ledger", "told"},
        "is at the same time as a, of the same patient",
    ),
    "kept apart from what knows nothing of it": (
        written(replace(record("b"), apart=("a",))),
        {"patients"},
        "is kept apart from a, which does not say so",
    ),
    "a draw on what is not there": (
        written(replace(record("b"), authorization=Needed(("wheelchair",), authorization="a1", drawn=1))),
        {"authorizations"},
        "draws on authorization a1, which is not there",
    ),
    "a draw without being booked": (
        both(
            authorized(used=1),
            written(replace(record("b"), authorization=Needed(("wheelchair",), authorization="a1", drawn=1))),
        ),
        {"authorizations"},
        "is received, and draws on authorization a1",
    ),
    "booked, and nothing drawn": (
        written(replace(moved(record("b"), RequestState.COMPLETED), authorization=Needed(("wheelchair",)))),
        {"authorizations", "table", "lists", "told"},
        "is completed, draws on no authorization, and was not let go",
    ),
    "little is left, and nobody is asked": (
        authorized(low=True),
        {"tasks"},
        "is running out and has no open task",
    ),
    "a draw of more than it is": (
        both(
            authorized(used=2),
            written(replace(record("b"), authorization=Needed(("wheelchair",), 2, "a1", drawn=2))),
        ),
        {"authorizations"},
        "draws 2 on authorization a1, and is 1",
    ),
    "a balance that nobody draws": (
        authorized(used=1),
        {"authorizations"},
        "has 1 in use, and requests draw 0",
    ),
    "a balance that is overdrawn": (
        authorized(used=3, spent=3),
        {"authorizations"},
        "has 3 used (3 of it long ago) of 2",
    ),
    "a chain that goes on from nowhere": (
        written(replace(record("b"), chain=(NEXT,))),
        {"modes"},
        "is received, and knows who is asked next",
    ),
    "a chain that asks a vendor again that is asked": (
        asked_otherwise(chain=(NEXT, replace(NEXT, vendor_id="v1"))),
        {"modes"},
        "asks a vendor twice",
    ),
    "a broadcast that nobody decides": (
        asked_otherwise(collect_ms=1),
        {"modes"},
        "collects, and nothing decides who has it",
    ),
    "an offer that has booked, and would once more": (
        asked_otherwise(wants=(booking(),)),
        {"modes"},
        "has booked, and would book again",
    ),
    "a price that is not what its lines are": (
        offered_otherwise(price_lines=(Line(PriceKind.BASE, 4_400),)),
        {"prices"},
        "costs 4500 cents, its lines are 4400",
    ),
    "a fee before the work has ended": (
        offered_otherwise(price_lines=(Line(PriceKind.BASE, 4_400), Line(PriceKind.NO_SHOW, 100))),
        {"prices"},
        "is requested, and has the fee no_show",
    ),
    "a vendor that waits for work that it has not": (
        offered_otherwise(waits=(Wait(NOW_MS),)),
        {"prices"},
        "is requested, and its vendor waits",
    ),
    "a dispute that is nobody's": (
        offered_otherwise(disputes=(Dispute(PriceKind.AGREED, 1, 4_500, NOW_MS, "vendor:v1"),)),
        {"tasks"},
        "has no open task price_dispute",
    ),
    "an amendment that waits for nobody, for ever": (
        written(replace(record("b"), amendments=(WAITING,))),
        {"amendments"},
        "amendment 1 waits for a vendor that has not the work",
    ),
    "an amendment without what it replaced": (
        written(replace(record("b"), amendments=(replace(WAITING, proposed=b""),))),
        {"amendments"},
        "amendment 1 is pending without its bodies",
    ),
}
