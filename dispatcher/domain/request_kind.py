"""How requests are filed: the first kind of record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from contracts.codes import RequestState, ServiceClass
from dispatcher.domain.apart import with_apart
from dispatcher.domain.authorizations import beside, wanting
from dispatcher.domain.bundles import with_bundle
from dispatcher.domain.commands.due import due
from dispatcher.domain.compact import Record
from dispatcher.domain.context import Context
from dispatcher.domain.credentials import CREDENTIAL_KIND, dispatch_task
from dispatcher.domain.decision import Change, Decision
from dispatcher.domain.follow_acceptance import with_answers
from dispatcher.domain.follow_authorization import with_authorization, with_given_back
from dispatcher.domain.follow_barriers import with_barriers
from dispatcher.domain.follow_credentials import with_beyond
from dispatcher.domain.follow_fairness import with_left_out
from dispatcher.domain.follow_notifications import with_notifications
from dispatcher.domain.follow_prices import with_prices
from dispatcher.domain.follow_sequence import with_sequence
from dispatcher.domain.follow_statements import with_statements
from dispatcher.domain.follow_up import with_tasks
from dispatcher.domain.kinds import Entry, Kind, register
from dispatcher.domain.legs import with_return
from dispatcher.domain.not_agreed import with_amendment
from dispatcher.domain.prices import priced_as
from dispatcher.domain.proof_required import proved_as
from dispatcher.domain.refiling import with_refiled
from dispatcher.domain.reminders import is_reminder, only_reminds
from dispatcher.domain.requests import RequestRecord, offer_id
from dispatcher.domain.states import ASKS_BARRIER, ENTRY, OPEN, TERMINAL, may_stay_or_go
from dispatcher.domain.tasks import TASK_KIND
from dispatcher.domain.threads import THREAD_KIND, threads_of

REQUEST, PATIENT = "request", "patient"
INDEX = "i:"  # requests in one state, by time received
BY_START = "i:start"  # all requests, by when their window opens
AMENDED = "i:amended"  # open requests whose body was written anew, by how often
WILL_CALLS = "i:will_call"  # those that nobody has called yet, by when their day begins
OFFERS = "o:"  # a vendor's open offers and dispatches, by start


_INDICES = {each: f"{INDEX}{each.value}" for each in RequestState}


def index_of(state: RequestState) -> str:
    """The list of requests in one state."""
    return _INDICES[state]


def offers_of(vendor_id: str) -> str:
    """The list of a vendor's open offers and dispatches."""
    return f"{OFFERS}{vendor_id}"


def _lists(record: RequestRecord) -> Mapping[Entry, int]:
    entries = {Entry(index_of(record.state), record.id): record.received_ms}
    if record.service_class:  # else from before there was this list
        entries[Entry(BY_START, record.id)] = record.earliest_ms
    if record.waits_for_call:
        entries[Entry(WILL_CALLS, record.id)] = record.earliest_ms
    if record.revision and record.state in OPEN:
        entries[Entry(AMENDED, record.id)] = record.revision
    asked = record.authorization
    if asked is not None and asked.authorization and not asked.drawn and record.state not in TERMINAL:
        entries[Entry(wanting(asked.authorization), record.id)] = record.earliest_ms
    for each in record.offers:
        if each.live:
            entries[Entry(offers_of(each.vendor_id), offer_id(record, each))] = each.start_ms
    return entries


def _may_become(before: RequestRecord | None, after: RequestRecord | None) -> bool:
    if before is None:
        return after is not None and after.state in ENTRY
    if after is None:
        return before.state in TERMINAL
    return may_stay_or_go(before.state, after.state) or _is_filed_otherwise(before, after)


def _is_filed_otherwise(before: RequestRecord, after: RequestRecord) -> bool:
    """Whether nothing differs but when it is forgotten, where it is listed (`sorted_in`), its barrier, and
    what it costs: a line may be disputed, and settled, once its work is done; that is a task. And what there
    is of its proof.
    """
    filed = replace(after, service_class=before.service_class) if not before.service_class else after
    barrier = before.barrier if after.state in ASKS_BARRIER else after.barrier
    offers, tasks = after.offers, after.tasks
    if offers != before.offers and len(offers) == len(before.offers):
        offers = tuple(map(proved_as, map(priced_as, offers, before.offers), before.offers))
        tasks = before.tasks if tasks[: len(before.tasks)] == before.tasks else tasks
    same = {"version": before.version, "timer_ms": before.timer_ms, "barrier": barrier}
    return replace(filed, **same, offers=offers, tasks=tasks) == before


def _is_new_work(before: RequestRecord | None, after: RequestRecord | None) -> bool:
    if after is None or after.state not in OPEN:
        return False
    if before is None or before.state not in OPEN or after.revision > before.revision:
        return True
    return (before.earliest_ms, before.latest_ms) != (after.earliest_ms, after.latest_ms)  # called again


def _nothing_follows(before: RequestRecord | None, after: RequestRecord | None) -> bool:
    """Of one that comes in and waits for nothing: no vendor, nothing that went wrong, no sequence.

    Nor of a reminder that its vendor's report is missing, but the first.
    """
    if before is None or after is None:
        return after is not None and after.state is RequestState.RECEIVED and not after.after
    return is_reminder(before, after)


def _related(record: RequestRecord) -> Sequence[tuple[str, str]]:
    """Its tasks, neighbours in sequence, rides beside it, authorization; threads that go with it.

    And the papers of who has it, or may take it.
    """
    tasks = [(TASK_KIND.name, each) for each in record.tasks]
    before = [(REQUEST, each.request_id) for each in record.after]
    threads = threads_of(record) if record.state in TERMINAL else []
    pending = record.pending
    asked = (record.authorization, pending.facts.asks if pending and pending.facts else None)
    names = dict.fromkeys(each.authorization for each in asked if each is not None and each.authorization)
    drawn_on = [each for name in names for each in beside(name)]
    filed = [(PATIENT, each) for each in pending.filing.tokens] if pending and pending.filing else ()
    episode = [("episode", record.episode)] if record.bundle_until_ms else []
    return [
        *tasks,
        *before,
        *((REQUEST, each) for each in record.before),
        *((REQUEST, each) for each in record.apart),
        *drawn_on,
        *_papers(record),
        *episode,
        *filed,
        *((THREAD_KIND.name, each) for each in threads),
    ]


def _papers(record: RequestRecord) -> Sequence[tuple[str, str]]:
    live = [each for each in record.offers if each.live and each.status is None]
    return [name for each in live for name in papers_of(each.vendor_id, offer_id(record, each))]


def papers_of(vendor_id: str, name: str) -> tuple[tuple[str, str], tuple[str, str]]:
    """What watches over the credentials of an offer's vendor, and the task that one runs out too soon."""
    return (CREDENTIAL_KIND.name, vendor_id), (TASK_KIND.name, dispatch_task(name))


def _rounds(record: RequestRecord) -> int:
    """As far as its neighbours' tasks; of a bundle as far as those of the neighbours of all its parts."""
    return 4 if record.bundle_until_ms else 2


CARE = (
    with_return,
    with_bundle,
    with_amendment,  # after all that takes a dispatch away
    with_refiled,
    with_authorization,
    with_sequence,
    with_apart,
    with_given_back,
)


def with_care(decision: Decision, context: Context) -> Decision:
    """What follows for what a request belongs to, was amended to or draws on; most are by themselves."""
    change = decision.changes[0]
    if len(decision.changes) == 1 and _is_by_itself(change.before) and _is_by_itself(change.after):
        return decision
    for follow_up in CARE:
        decision = follow_up(decision, context)
    return decision


def _is_by_itself(record: Record | None) -> bool:
    """Whether none of these has anything to look at: no neighbour, no bundle, amendment or authorization."""
    if record is None:
        return True
    if not isinstance(record, RequestRecord):
        return False
    beside = record.before or record.after or record.apart or record.risk or record.watch_ms
    return not (beside or record.bundle_until_ms or record.amendments or record.authorization)


REQUEST_KIND = register(
    Kind(
        name=REQUEST,
        form=RequestRecord,
        key="r",
        body="b",
        plain_events=True,
        timers="timers",
        timer_ms=lambda record: record.timer_ms,
        lists=_lists,
        may_become=_may_become,
        is_new_work=_is_new_work,
        on_timer=due,
        together=only_reminds,
        alone=True,
        related=_related,
        rounds=_rounds,
        nothing_follows=_nothing_follows,
        follow_ups=(
            with_care,
            with_answers,
            with_prices,
            with_statements,
            with_notifications,
            with_barriers,
            with_left_out,
            with_beyond,
            with_tasks,
        ),
    )
)


def sorted_in(record: RequestRecord, service_class: ServiceClass, now_ms: int) -> Decision:
    """A request that was taken in before its class was kept, with it: listed by its start from now on."""
    after = replace(record, version=record.version + 1, service_class=service_class.value)
    return Decision(changes=(Change(record, after),), at_ms=now_ms)
