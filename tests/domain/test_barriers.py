"""Why a request ended without its service: what follows by itself, what a person says, what is counted."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from contracts.barriers import BarrierCode, BarrierRecorded, PatternQuery
from contracts.codes import ReportCode, RequestState, Requirement, ServiceClass, TrackingStatus
from contracts.instants import DAY_MS, HOUR_MS
from contracts.tasks import TaskOutcome
from dispatcher.domain.barriers import Barrier, Cell, matches, summed, week_of
from dispatcher.domain.commands.barriers import RecordBarrier
from dispatcher.domain.commands.cancel import CancelRequest
from dispatcher.domain.commands.on_hold import HoldRequest
from dispatcher.domain.commands.tasks import FinishTask
from dispatcher.domain.decision import Decision
from dispatcher.domain.refusals import WrongState
from dispatcher.domain.requests import RequestRecord
from tests.domain import make
from tests.domain.make import accepted, after, decide, due, opened, reporting

B, C, T = BarrierCode, ReportCode, TrackingStatus


def on_hold(requirement: Requirement) -> RequestRecord:
    held: RequestRecord = after(
        decide(make.received(), HoldRequest(request_id="r1", requirement=requirement))
    )
    return held


def said(record: RequestRecord, code: BarrierCode, **facts: Any) -> Decision:
    decision = decide(record, RecordBarrier(request_id="r1", code=code), **facts)
    assert decision is not None
    return decision


def counted(decision: Decision | None) -> list[tuple[str, str, int]]:
    assert decision is not None
    return [(each.cell.code, each.week, each.by) for each in decision.counts]


@pytest.mark.parametrize(
    ("ended", "code"),
    [
        (reporting(accepted(), T.NO_SHOW, code=C.NO_CLIENT), B.NO_ONE_AT_HOME),
        (reporting(accepted(), T.NO_SHOW, code=C.NOT_READY), B.PATIENT_NOT_READY),
        (reporting(accepted(), T.NO_SHOW, code=C.CANCEL_AT_DOOR), B.TRANSPORT_REFUSED),
        (reporting(accepted(), T.NO_SHOW), None),
        (reporting(accepted(), T.FAILED, code=C.BAD_WEATHER), B.WEATHER),
        (reporting(accepted(), T.FAILED, code=C.OTHER), None),
        (due(make.received()), B.NO_VENDOR),
        (due(on_hold(Requirement.AUTHORIZATION)), B.AUTHORIZATION),
        (due(on_hold(Requirement.PREDECESSOR)), B.SEQUENCE),
        (decide(make.received(), CancelRequest(request_id="r1")), None),
        (decide(make.received(), CancelRequest(request_id="r1", code="outbound_no_show")), B.SEQUENCE),
        (reporting(accepted(), T.COMPLETED), None),
    ],
)
def test_what_follows_from_how_it_ended_is_suggested_and_counted_in_the_same_commit(
    ended: Decision, code: BarrierCode | None
) -> None:
    barrier = ended.after.barrier
    assert (barrier.code if barrier else None) is code
    assert barrier is None or barrier.suggested
    assert [each[0] for each in counted(ended)] == ([code] if code else [])


def test_what_a_person_says_takes_the_place_of_what_was_suggested_in_the_week_in_which_it_ended() -> None:
    ended = reporting(accepted(), T.NO_SHOW, code=C.NO_CLIENT)
    record = after(ended)
    late_ms = make.NOW + 20 * DAY_MS
    decision = said(record, B.WEATHER, now_ms=late_ms)
    week = week_of(record.history[-1].at_ms)
    assert counted(decision) == [("no_one_at_home", week, -1), ("weather", week, 1)]
    assert decision.counts[0].cell.vendor_id == "v1"
    (news,) = decision.messages
    assert isinstance(news.data, BarrierRecorded)
    assert (news.data.before, news.data.code) == (B.NO_ONE_AT_HOME, B.WEATHER)
    assert replace(decision.after, barrier=record.barrier, version=record.version) == record
    assert decide(decision.after, RecordBarrier(request_id="r1", code=B.WEATHER)) is None
    assert counted(said(record, B.NO_ONE_AT_HOME)) == [], "confirmed: it is counted already"


def test_a_note_stays_when_another_code_is_said_and_a_new_one_takes_its_place() -> None:
    record = after(due(make.received()))
    for sealed, kept in ((b"one", b"one"), (b"", b"one"), (b"two", b"two")):
        command = RecordBarrier(request_id="r1", code=B.OTHER if sealed else B.WEATHER, sealed=sealed)
        record = after(decide(record, command))
        assert record.barrier.sealed == kept


@pytest.mark.parametrize(
    "record", [make.received(), accepted(), after(reporting(accepted(), T.COMPLETED))], ids=lambda r: r.state
)
def test_there_is_no_barrier_of_what_has_not_ended_or_was_served(record: RequestRecord) -> None:
    with pytest.raises(WrongState, match=f"request r1 is {record.state}; a barrier is why"):
        said(record, B.OTHER)


def test_finishing_a_task_says_it_in_one_commit_and_a_finished_one_says_no_other() -> None:
    ended = due(make.received())
    record, (task,) = after(ended), opened(ended)
    finish = FinishTask(task_id=task.id, by="ann", outcome=TaskOutcome.RESOLVED, barrier=B.WEATHER)
    decision = decide(task, finish, tasks=[record])
    assert decision is not None
    barriers = [each.after.barrier.code for each in decision.changes if isinstance(each.after, RequestRecord)]
    assert barriers == [B.WEATHER]
    assert [each[::2] for each in counted(decision)] == [("no_vendor", -1), ("weather", 1)]
    done, said_so = decision.after, decision.changes[1].after
    assert said_so is not None
    assert decide(done, finish, tasks=[said_so]) is None
    only_suggested = replace(record, barrier=Barrier(B.WEATHER, make.NOW, "service", suggested=True))
    with pytest.raises(WrongState, match="POST …/requests/r1/barrier"):
        decide(done, finish, tasks=[only_suggested])
    with pytest.raises(WrongState):
        decide(done, replace(finish, barrier=B.OTHER), tasks=[said_so])
    with pytest.raises(WrongState, match="about no request that is kept"):
        decide(task, finish)


def test_a_request_names_its_facility_and_its_count_has_it_and_nothing_of_the_patient() -> None:
    record = make.received(make.trip(facility="st-mary", patient=make.PATIENT))
    ended = due(record, record.match_by_ms + HOUR_MS)
    assert ended is not None
    assert ended.after.state is RequestState.UNMATCHED
    assert [each.cell for each in ended.counts] == [Cell("no_vendor", "st-mary", "", "wheelchair")]


CELLS = {
    ("2026-W10", Cell("weather", "a", "v1", "wheelchair")): 4,
    ("2026-W10", Cell("weather", "b", "v1", "wheelchair")): 4,
    ("2026-W11", Cell("other", "b", "", "equipment")): 11,
    ("2026-W11", Cell("authorization", "b", "", "equipment")): 0,
    ("2026-W12", Cell("authorization", "b", "", "equipment")): -1,  # taken back after its week was forgotten
}


def lots(fixed: int) -> Callable[[bytes], int]:
    """The same lot for everything."""
    return lambda _: fixed


def hashed(counted: bytes) -> int:
    """A lot that nobody here looks into."""
    return int.from_bytes(hashlib.blake2b(counted, digest_size=8).digest())


@pytest.mark.parametrize(
    ("lot", "facilities"), [(0, [("b", 10)]), (1, [("b", 15), ("a", 5)]), (4, [("b", 15), ("a", 5)])]
)
def test_counts_are_told_in_whole_multiples_by_lot(lot: int, facilities: list[tuple[str, int]]) -> None:
    told = summed(CELLS, 5, lots(lot))
    assert [(row.name, row.count) for row in told["by_facility"]] == facilities
    assert all(row.count % 5 == 0 for table in told.values() for row in table)


def test_a_rare_one_may_be_told_either_way_and_on_average_they_are_right() -> None:
    cells = [{("2026-W10", Cell("weather", f"f{each}", "", "wheelchair")): 2} for each in range(500)]
    told = [sum(row.count for row in summed(each, 5, hashed)["by_week"]) for each in cells]
    assert set(told) == {0, 5}
    assert 1.6 < sum(told) / len(told) < 2.4


def test_weeks_with_one_each_are_told_as_any_that_have_few() -> None:
    week = ("2026-W10", "2026-W11", "2026-W12", "2026-W13")
    ones = {(each, Cell("weather", "a", "v1", "wheelchair")): 1 for each in week}
    told = {
        lot: {way: [row.count for row in rows] for way, rows in summed(ones, 5, lots(lot)).items()}
        for lot in range(5)
    }
    assert [told[lot]["by_week"] for lot in range(5)] == [[], [], [], [], [5, 5, 5, 5]]
    assert [told[lot]["by_code"] for lot in range(5)] == [[], [5], [5], [5], [5]]


def test_the_same_counts_are_told_alike_whichever_question_finds_them() -> None:
    only_b = {part: count for part, count in CELLS.items() if part[1].facility == "b"}
    (row,) = summed(only_b, 5, hashed)["by_facility"]
    assert row in summed(CELLS, 5, hashed)["by_facility"]


def test_with_a_least_of_one_they_are_as_they_are() -> None:
    assert [(row.name, row.count) for row in summed(CELLS, 1, hashed)["by_facility"]] == [("b", 14), ("a", 4)]


def test_what_is_asked_for_beside_the_period_has_to_hold() -> None:
    query = PatternQuery(facility="b", service_class=ServiceClass.EQUIPMENT)
    assert sum(count for (_, cell), count in CELLS.items() if matches(cell, query) and count > 0) == 11
