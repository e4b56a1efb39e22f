"""How a played day's edges and will-calls went: judged by what was reported, not by the service's rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from contracts.codes import RequestState
from contracts.episodes import SequenceKind
from contracts.instants import MINUTE_MS
from dispatcher.domain.requests import RequestRecord
from dispatcher.what_if.care import Pair
from solvers.compare.side import BEGUN, BROKEN, IN_SEQUENCE, NOT_BEGUN, OUT_OF_SEQUENCE

Records = Mapping[str, RequestRecord]


def became(pair: Pair, records: Records) -> int:
    """What became of one edge."""
    before, after = records.get(pair.before), records.get(pair.after)
    begun_ms = _began_ms(after) if after is not None else 0
    if before is None or after is None or not begun_ms:
        return NOT_BEGUN
    both = before.state is after.state is RequestState.COMPLETED
    if _is_kept(pair, before, begun_ms):
        return IN_SEQUENCE if both else BEGUN
    return OUT_OF_SEQUENCE if both else BROKEN


def waits_min(records: Iterable[RequestRecord], end_ms: int) -> list[float]:
    """Of each will-call that was called, how long until a vendor was there; who has none waits to the end."""
    called = [each for each in records if each.activated_ms]
    return [max(0, (_began_ms(each) or end_ms) - each.earliest_ms) / MINUTE_MS for each in called]


def _is_kept(pair: Pair, before: RequestRecord, begun_ms: int) -> bool:
    counts = pair.kind is SequenceKind.START_TO_START
    since_ms = _began_ms(before) if counts else _done_ms(before)
    if not since_ms:
        return False
    lag_ms = begun_ms - since_ms
    return lag_ms >= pair.least_ms and (pair.most_ms is None or lag_ms <= pair.most_ms)


def _began_ms(record: RequestRecord) -> int:
    """When the crew that had it last was at the door; 0: it did not come."""
    work = record.dispatch
    return (work.arrived_ms if work is not None else 0) or _done_ms(record)


def _done_ms(record: RequestRecord) -> int:
    return record.history[-1].at_ms if record.state is RequestState.COMPLETED else 0
