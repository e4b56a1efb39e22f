"""From the records of a day: what stood in sequence or in a bundle, who called when, what was called off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from contracts.codes import RequestState, Requirement
from contracts.episodes import After
from contracts.instants import MINUTE_MS
from contracts.requests import Request
from dispatcher.domain.commands.release import RELEASED
from dispatcher.domain.legs import OUTBOUND
from dispatcher.domain.links import Link
from dispatcher.domain.requests import RequestRecord, Transition
from dispatcher.domain.will_call import NOT_CALLED
from dispatcher.store.calls import Calls
from dispatcher.what_if.care import LEAST_STAY_MS, Call, Care, Together, drawn_call, in_order, links_of
from simulation.day import Submission

# what may be waited for on a played day; who waited for an authorization comes once that had come
PLAYED = frozenset({Requirement.ACTIVATION, Requirement.PREDECESSOR})
WANTED, LIFTED = Requirement.AUTHORIZATION.value, "_lifted"
Records = Mapping[str, RequestRecord]
Bodies = Mapping[str, Request]


def is_playable(record: RequestRecord) -> bool:
    """Whether all came that is not played: an authorization, say."""
    return PLAYED.issuperset(record.requirements) and came_ms(record) is not None


def came_ms(record: RequestRecord) -> int | None:
    """When it came; of one that had to be authorized first, when it was; None: it never was.

    One that was missed later is not played: by then a vendor may have had the work.
    """
    first, later = record.history[0].at_ms, record.history
    asked = [each for each in later if each.at_ms == first and each.state is RequestState.ON_HOLD]
    if not any(each.code.startswith(WANTED) for each in asked):
        return record.received_ms
    lifted = (each.at_ms for each in later[len(asked) + 1 :] if _is_lifted(each))
    return next(lifted, None)


def _is_lifted(step: Transition) -> bool:
    return step.state is RequestState.RECEIVED or step.code in (WANTED + LIFTED, "all_else" + LIFTED)


def care_of(records: Records, bodies: Bodies, calls: Calls, tz: ZoneInfo, seed: int) -> Care:
    """What the day had beside its requests; `calls`: how calls fell, for those that did not come to it."""
    return Care(
        bundles=_bundles(records),
        calls=_calls(records, bodies, calls, tz, seed),
        released=_released(records, bodies),
        called_off={name: at_ms for name, each in records.items() if (at_ms := _called_off_ms(each))},
        apart={name: near for name, each in records.items() if (near := _known(each.apart, records))},
        before=calls,
    )


def submissions(records: Records, bodies: Bodies, care: Care, least_ms: int) -> tuple[Submission, ...]:
    """Each by itself, when it came and was authorized; not before `least_ms`: nothing is in reach until then.

    What stands in sequence or in a bundle comes with it, once all of that has come.
    """
    played = _without_circles(
        {name: _linked(each, records[name], records) for name, each in bodies.items()}, records
    )
    before = {name: [link.request for link in links_of(each)] for name, each in played.items()}
    came = {name: max(came_ms(records[name]) or 0, least_ms) for name in played}
    came = in_order(came, {name: _known(each, played) for name, each in before.items()}, care.bundles)
    stand = {name for name, each in before.items() if each} | {
        each for some in before.values() for each in some
    }
    stand |= {name for each in care.bundles for name in each.requests} | care.apart.keys()
    groups = dict[tuple[int, str], list[Request]]()
    for name in sorted(played):
        groups.setdefault((came[name], "" if name in stand else name), []).append(played[name])
    made = [Submission(at_ms, tuple(some)) for (at_ms, _), some in sorted(groups.items())]
    return tuple(made)


def _without_circles(played: dict[str, Request], records: Records) -> dict[str, Request]:
    """What was let go of, and asked for the other way round later, would be a circle: the later stands."""
    while True:
        after = {name: [link.request for link in links_of(each)] for name, each in played.items()}
        try:
            TopologicalSorter(after).prepare()
        except CycleError as error:
            circle: list[str] = error.args[1]  # each goes before the next one
            stood = {(name, link.request_id) for name in circle for link in records[name].after}
            edges = [(after, before) for before, after in pairwise(circle)]
            name, dropped = next((each for each in edges if each not in stood), edges[0])
            request = played[name]
            kept = tuple(each for each in request.after if each.request != dropped)
            changes: dict[str, Any] = {"return_of": None} if request.way_back_of == dropped else {}
            played[name] = replace(request, after=kept, **changes)
        else:
            return played


def _linked(request: Request, record: RequestRecord, records: Records) -> Request:
    """As it was asked, with what goes before it on this day: as its episode had it, and as it came."""
    links = {each.request: each for each in map(_after, record.after)}
    links = {each.request: each for each in links_of(request)} | links
    after = tuple(each for name, each in links.items() if name in records and name != record.id)
    hold = None  # it was lifted before it comes: see `came_ms`
    return replace(
        request,
        after=after,
        hold=hold,
        episode=None,
        authorization=None,
        not_duplicate_of=(),
        identifiers=(),
    )


def _after(link: Link) -> After:
    most = None if link.most_ms is None else link.most_ms // MINUTE_MS
    return After(
        request=link.request_id,
        kind=link.kind,
        least_lag_minutes=link.least_ms // MINUTE_MS,
        most_lag_minutes=most,
    )


def _bundles(records: Records) -> tuple[Together, ...]:
    found = dict[str, list[RequestRecord]]()
    for each in records.values():
        if each.bundle_until_ms and each.episode:
            found.setdefault(each.episode, []).append(each)
    return tuple(
        Together(name, tuple(sorted(each.id for each in some)), max(each.bundle_until_ms for each in some))
        for name, some in sorted(found.items())
    )


def _released(records: Records, bodies: Bodies) -> dict[tuple[str, str], int]:
    """By (after, before): when a person said that it need not wait. What it was taken from is not kept."""
    found = dict[tuple[str, str], int]()
    for name, record in records.items():
        steps = [each.at_ms for each in record.history if each.code == RELEASED]
        left = {each.request_id for each in record.after}
        gone = (
            [each.request for each in links_of(bodies[name]) if each.request not in left]
            if name in bodies
            else []
        )
        if steps:
            found |= {(name, each): steps[-1] for each in gone}
    return found


def _calls(records: Records, bodies: Bodies, calls: Calls, tz: ZoneInfo, seed: int) -> dict[str, Call]:
    """As they came; drawn where there had been no way there; none for whom nobody called."""
    found = dict[str, Call]()
    for name, record in records.items():
        if name not in bodies or bodies[name].on_call is None:
            continue
        if record.activated_ms:
            found[name] = Call(record.activated_ms, record.earliest_ms)
            continue
        there = records.get(record.return_of)
        if there is None or there.state is RequestState.COMPLETED:
            continue
        least_ms = there.latest_ms + LEAST_STAY_MS
        drawn = drawn_call(bodies[name], calls, least_ms, tz, seed)
        if drawn is not None:
            found[name] = drawn
    return found


def _called_off_ms(record: RequestRecord) -> int:
    """When somebody called it off; 0: nobody did, or it only followed from something else."""
    last = record.history[-1]
    if (
        record.state is not RequestState.CANCELLED
        or last.code == NOT_CALLED
        or last.code.startswith(OUTBOUND)
    ):
        return 0
    return last.at_ms


def _known(names: Sequence[str], records: Mapping[str, object]) -> tuple[str, ...]:
    return tuple(each for each in names if each in records)
