"""Scorecards over HTTP: figures, and what stands behind each."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from contracts.codes import Role
from contracts.instants import HOUR_MS, MINUTE_MS
from dispatcher.audit.judge import judge
from dispatcher.store.survey import survey
from tests.domain import make
from tests.http.conftest import Api
from tests.http.test_offers import offered
from tests.http.test_proofs import tuned

START = make.NOW + 4 * HOUR_MS  # as agreed
TEXT = "Nightingale was not at the door, the gate was locked"
CARD = "/vendors/v1/scorecard"


async def as_vendor(
    api: Api, method: str, path: str, body: Any = None, vendor: str = "v1"
) -> tuple[int, Any]:
    return await api.call(method, path, body, role=Role.VENDOR, vendor=vendor)


async def worked(api: Api, name: str, late_minutes: int = 0) -> str:
    """A ride that v1 did; the offer's id."""
    made = await offered(api, name)
    assert (await as_vendor(api, "POST", f"/offers/{made}/accept"))[0] == 200
    api.clock.ms = START + late_minutes * MINUTE_MS
    assert (await as_vendor(api, "POST", f"/dispatches/{made}/status", {"status": "at_pickup"}))[0] == 200
    assert (await as_vendor(api, "POST", f"/dispatches/{made}/status", {"status": "completed"}))[0] == 200
    return made


async def declined(api: Api, name: str, code: str = "NO_VEHICLES_AVAILABLE") -> str:
    made = await offered(api, name)
    assert (await as_vendor(api, "POST", f"/offers/{made}/decline", {"code": code}))[0] == 200
    return made


def counts(group: Any) -> dict[str, int]:
    """The figures of a group that are not 0."""
    return {each["figure"]: each["count"] for each in group["figures"] if each["count"]}


async def behind(api: Api, figure: str, more: str = "") -> list[Any]:
    status, page = await as_vendor(api, "GET", f"{CARD}/requests?figure={figure}{more}")
    assert status == 200, page
    return list(page["requests"])


async def test_a_vendor_reads_what_became_of_its_work_and_what_stands_behind_each_figure(api: Api) -> None:
    await worked(api, "r1")
    await worked(api, "r2", late_minutes=40)
    await declined(api, "r3")
    await declined(api, "r4", "OTHER")
    status, card = await as_vendor(api, "GET", CARD)
    assert status == 200, card
    assert counts(card["all"]) == {
        "offers": 4, "accepted": 2, "declined": 2, "declined.NO_VEHICLES_AVAILABLE": 1,
        "declined.OTHER": 1, "works": 2, "on_time": 1, "late": 1,
    }  # fmt: skip
    assert (card["from"], card["to"], card["kept_from"]) == ("2026-02-01", "2026-03-02", "2025-11-22")
    assert (card["all"]["late_p50_minutes"], card["all"]["late_p90_minutes"]) == (0, 40)
    (accepted,) = [each for each in card["all"]["figures"] if each["figure"] == "accepted"]
    assert (accepted["of"], accepted["share"], accepted["few"]) == (4, 0.5, True)
    assert 0.1 < accepted["low"] < 0.2 < 0.8 < accepted["high"] < 0.9
    for parts in ("by_level", "by_area", "by_hour"):
        (one,) = card[parts]
        assert counts(one) == counts(card["all"]), parts
    assert (card["by_level"][0]["name"], card["by_hour"][0]["name"]) == ("wheelchair", "07")
    for figure, count in counts(card["all"]).items():
        assert len(await behind(api, figure)) == count, figure
    (late,) = await behind(api, "late")
    assert (late["offer_id"], late["request_id"], late["minutes"], late["level"]) == (
        "r2.1",
        "r2",
        40,
        "wheelchair",
    )
    assert late["zone"] == card["by_area"][0]["zone"]
    area = card["by_area"][0]["name"]
    assert len(await behind(api, "offers", f"&level=wheelchair&area={area}&hour=7")) == 4
    assert await behind(api, "offers", "&hour=8") == []
    assert await behind(api, "offers", "&from=2026-03-03") == []
    assert (await api.call("GET", CARD, role=Role.OPS))[1] == card


async def test_missing_proof_counts_until_it_comes(api: Api) -> None:
    await tuned(api, proof_ride_required=2)
    await worked(api, "r1")
    assert [each["offer_id"] for each in await behind(api, "proof_missing")] == ["r1.1"]
    for part in ("pickup", "dropoff"):
        assert (await as_vendor(api, "POST", "/dispatches/r1.1/proof", {"part": part}))[0] == 200
        found = await behind(api, "proof_missing")
        assert len(found) == (part == "pickup")
    assert "proof_missing" not in counts((await as_vendor(api, "GET", CARD))[1]["all"])
    assert judge(await survey(api.store.reader, api.market)) == []


@pytest.mark.parametrize(("late_minutes", "outcome"), [(0, "done"), (40, "late")])
async def test_an_arrival_that_its_own_proof_puts_elsewhere_is_not_in_time(
    api: Api, late_minutes: int, outcome: str
) -> None:
    made = await offered(api)
    await as_vendor(api, "POST", f"/offers/{made}/accept")
    api.clock.ms = START + late_minutes * MINUTE_MS
    await as_vendor(api, "POST", f"/dispatches/{made}/status", {"status": "at_pickup"})
    proof = {"part": "pickup", "position": [-73.0, 41.5]}
    assert (await as_vendor(api, "POST", f"/dispatches/{made}/proof", proof))[0] == 200
    await as_vendor(api, "POST", f"/dispatches/{made}/status", {"status": "completed"})
    assert len(await behind(api, outcome)) == 1
    assert await behind(api, "on_time") == []
    assert judge(await survey(api.store.reader, api.market)) == []


async def test_a_counter_offer_counts_once_and_its_answer_beside_it(api: Api) -> None:
    made = await offered(api)
    for cents in (9_000, 8_000):
        assert (await as_vendor(api, "POST", f"/offers/{made}/counter", {"price_cents": cents}))[0] == 200
    assert (await as_vendor(api, "POST", f"/offers/{made}/decline", {"code": "OTHER"}))[0] == 200
    found = counts((await as_vendor(api, "GET", CARD))[1]["all"])
    assert found == {"offers": 1, "declined": 1, "declined.OTHER": 1, "countered": 1}


async def test_what_stands_behind_a_figure_comes_in_pages(api: Api) -> None:
    for number in range(3):
        await declined(api, f"r{number}")
    found, cursor = [], ""
    for _ in range(3):
        path = f"{CARD}/requests?figure=declined&limit=1&cursor={cursor}"
        _, page = await as_vendor(api, "GET", path)
        found, cursor = found + [each["offer_id"] for each in page["requests"]], page["cursor"]
    assert (found, cursor) == (["r0.1", "r1.1", "r2.1"], "")


async def test_a_scorecard_is_its_vendors_and_ops_alone(api: Api) -> None:
    await worked(api, "r1", late_minutes=40)
    await api.call("PUT", "/vendors/v2", msgspec.to_builtins(make.vendor("v2")), role=Role.OPS)
    said = {"offer_id": "r1.1", "outcome": "late", "text": TEXT}
    for method, path, body in (
        ("GET", CARD, None),
        ("GET", f"{CARD}/requests?figure=late", None),
        ("GET", f"{CARD}/disputes", None),
        ("POST", f"{CARD}/disputes", said),
    ):
        assert (await as_vendor(api, method, path, body, vendor="v2"))[0] == 404, path
        for role in (Role.PLATFORM, Role.COORDINATOR, Role.CASE_MANAGER):
            assert (await api.call(method, path, body, role=role))[0] == 403, path
    assert (await api.call("GET", "/vendors/v9/scorecard", role=Role.OPS))[0] == 404
    assert (await as_vendor(api, "POST", "/vendors/v2/scorecard/disputes", said, vendor="v2"))[0] == 404
    assert (await as_vendor(api, "POST", f"{CARD}/disputes", said | {"outcome": "failed"}))[0] == 404
    _, made = await as_vendor(api, "POST", f"{CARD}/disputes", said)
    path = f"/vendors/v2/scorecard/disputes/{made['id']}/answer"
    assert (await api.call("POST", path, {"upheld": True, "reason": "x"}, role=Role.OPS))[0] == 404


async def test_what_cannot_be_asked_is_refused_in_words(api: Api) -> None:
    await declined(api, "r1")
    for query, status in (
        ("?from=2026-03-02&to=2026-03-01", 422),
        ("?from=2024-01-01&to=2026-03-01", 422),
        ("?to=0001-01-01", 422),
        ("?from=today", 400),
        ("/requests?figure=speed", 422),
        ("/requests?figure=late.OTHER", 422),
        ("/requests?figure=late&hour=24", 400),
        ("/requests", 400),
    ):
        assert (await as_vendor(api, "GET", CARD + query))[0] == status, query


async def test_a_vendor_sees_what_matching_takes_it_for_and_that_a_dispute_changes_it(api: Api) -> None:
    assert (await offered(api), (await as_vendor(api, "GET", CARD))[1]["matching"]) == ("r1.1", None)
    await worked(api, "r2", late_minutes=40)
    key = api.store.market(api.market).keys.scorecards("2026-03-02")
    await api.store.reader.ask("HSET", key, "v2:wheelchair:on_time", 90, "v2:wheelchair:late", 10)
    await worked(api, "r3")
    before = (await as_vendor(api, "GET", CARD))[1]["matching"]
    assert before["share"] < before["market_share"] < 0.92
    assert before["cents"] - before["market_cents"] in range(1, before["most_cents"])
    said = {"offer_id": "r2.1", "outcome": "late", "text": TEXT}
    made = (await as_vendor(api, "POST", f"{CARD}/disputes", said))[1]
    answer, path = {"upheld": True, "reason": "it was"}, f"{CARD}/disputes/{made['id']}/answer"
    assert (await api.call("POST", path, answer, role=Role.OPS))[0] == 200
    after = (await as_vendor(api, "GET", CARD))[1]["matching"]
    assert after["cents"] < after["market_cents"] < before["cents"]
    (one,) = (await api.call("GET", "/vendor-outcomes?vendor_id=v1", role=Role.OPS))[1]["vendors"]
    assert one["matching_share"] == after["share"]
