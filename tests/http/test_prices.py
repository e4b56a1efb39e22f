"""Prices over HTTP: their lines add up, waiting and fees add theirs, and a line may be disputed."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from msgspec.structs import replace

from contracts.codes import Role
from contracts.instants import HOUR_MS, MINUTE_MS, to_instant
from contracts.vendors import RateCard
from dispatcher.audit.auditor import audit
from dispatcher.domain.kinds import kind_named
from dispatcher.jobs.timers import Timers
from dispatcher.store.sealed import Sealed, sealed_by_key
from tests.domain import make
from tests.http.conftest import Api
from tests.http.test_offers import offered

CARD = RateCard(turn_back_cents=2_000, late_cancel_cents=3_000, no_show_cents=1_500)
START = make.NOW + 4 * HOUR_MS  # as agreed
TEXT = "Nightingale was picked up at the back door, we waited there"


@pytest.fixture(autouse=True)
def card(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the vendor's rate card says besides the fare."""
    vendor = make.vendor
    monkeypatch.setattr(make, "vendor", lambda *said, **more: replace(vendor(*said, **more), rate_card=CARD))


async def vendors(api: Api, what: str, body: Any = None) -> tuple[int, Any]:
    return await api.call("POST", f"/dispatches/r1.1/{what}", body, role=Role.VENDOR, vendor="v1")


async def dispatched(api: Api) -> None:
    """r1 is v1's, and it is half past: ten minutes after the agreed start."""
    await offered(api)
    assert (await api.call("POST", "/offers/r1.1/accept", role=Role.VENDOR, vendor="v1"))[0] == 200
    api.clock.ms = START + 10 * MINUTE_MS


def adds_up(view: Any) -> list[str]:
    """The kinds of the lines, once it is sure that they are the price."""
    assert sum(each["cents"] for each in view["price_lines"]) == view["price_cents"]
    return [each["kind"] for each in view["price_lines"]]


def at(minutes: int) -> str:
    return to_instant(START + minutes * MINUTE_MS).isoformat()


async def test_waiting_is_charged_by_the_half_hour_that_has_begun_after_what_is_free(api: Api) -> None:
    await dispatched(api)
    status, price = await vendors(api, "waiting", {"since": at(-20)})
    assert (status, adds_up(price), "until" in price["waits"][0]) == (200, ["agreed"], False)
    api.clock.ms = START + 46 * MINUTE_MS
    status, price = await vendors(api, "ready")
    assert (status, adds_up(price)) == (200, ["agreed", "waiting"])
    line = price["price_lines"][1]  # 46 minutes after the agreed start, 15 of them free
    assert (line["quantity"], line["unit_cents"], line["cents"]) == (2.0, 1_000, 2_000)
    assert (await vendors(api, "ready"))[1]["price_lines"] == price["price_lines"]  # as if told twice
    _, view = await api.call("GET", "/requests/r1")
    assert (view["state"], view["status"]) == ("in_progress", "at_pickup")
    assert adds_up(view["match"]) == ["agreed", "waiting"]
    _, dispatch = await api.call("GET", "/dispatches/r1.1", role=Role.VENDOR, vendor="v1")
    assert dispatch["price_lines"] == dispatch["offer"]["price_lines"] == price["price_lines"]


async def test_who_is_not_there_costs_what_the_rate_card_states_and_what_was_waited(api: Api) -> None:
    await dispatched(api)
    await vendors(api, "waiting", {"since": at(0)})
    api.clock.ms = START + 20 * MINUTE_MS
    assert (await vendors(api, "status", {"status": "no_show"}))[0] == 200
    _, price = await api.call("GET", "/dispatches/r1.1/price")
    assert adds_up(price) == ["no_show", "waiting"]
    assert price["price_cents"] == 1_500 + 1_000


async def test_work_that_is_taken_back_late_costs_a_fee_and_in_time_nothing(api: Api) -> None:
    await dispatched(api)
    api.clock.ms = START - 61 * MINUTE_MS
    await offered(api, "r2")
    await api.call("POST", "/offers/r2.1/accept", role=Role.VENDOR, vendor="v1")
    for name, minutes in (("r2", 61), ("r1", 59)):
        api.clock.ms = START - minutes * MINUTE_MS
        assert (await api.call("POST", f"/requests/{name}/cancel", {}))[0] == 200
    _, late = await api.call("GET", "/requests/r1")
    assert (adds_up(late["attempts"][0]), late["attempts"][0]["price_cents"]) == (["late_cancel"], 3_000)
    _, early = await api.call("GET", "/requests/r2")
    assert early["attempts"][0]["price_cents"] == 0


async def test_who_gives_work_back_owes_what_its_rate_card_states(api: Api) -> None:
    await dispatched(api)
    _, offer = await vendors(api, "status", {"status": "turned_back"})
    assert (adds_up(offer), offer["price_cents"]) == (["turn_back"], -2_000)


async def test_a_disputed_line_is_a_task_of_ops_and_settled_with_a_reason(api: Api) -> None:
    await dispatched(api)
    await vendors(api, "waiting", {"since": at(-20), "until": at(5)})
    await vendors(api, "status", {"status": "completed"})
    status, price = await vendors(api, "price/disputes", {"line": 1, "text": TEXT})
    assert (status, price["disputes"][0]["outcome"], price["disputes"][0]["text"]) == (200, "open", TEXT)
    assert (await vendors(api, "price/disputes", {"line": 1, "text": TEXT}))[0] == 409
    assert (await vendors(api, "price/disputes", {"line": 2, "text": TEXT}))[0] == 422
    _, page = await api.call("GET", "/tasks", role=Role.OPS)
    (task,) = page["tasks"]
    assert (task["kind"], task["owner"], task["offer_id"], task["code"]) == (
        "price_dispute", "ops", "r1.1", "agreed",
    )  # fmt: skip
    assert (await api.call("POST", f"/tasks/{task['id']}/finish", {}, role=Role.OPS))[0] == 409
    settle = {"cents": 5_500, "reason": "the door was far"}
    path = "/dispatches/r1.1/price/disputes/1/settle"
    assert (await api.call("POST", path, settle))[0] == 403  # the platform does not judge its own case
    for _ in range(2):
        status, price = await api.call("POST", path, settle, role=Role.OPS)
        assert (status, price["price_cents"], adds_up(price)) == (200, 5_500, ["agreed"])
    assert (price["disputes"][0]["outcome"], price["disputes"][0]["reason"]) == ("changed", settle["reason"])
    _, page = await api.call("GET", f"/tasks/{task['id']}", role=Role.OPS)
    assert (page["state"], page["outcome"]) == ("done", "settled")
    assert (await api.call("POST", path, {"reason": "no"}, role=Role.OPS))[0] == 409
    _, acts = await api.call("GET", "/audit", role=Role.OPS)
    assert [(each["act"], each["detail"]) for each in acts["acts"]][:1] == [("settle_price", "5500")]


async def test_what_is_said_of_a_price_is_sealed_and_another_vendors_is_not_there(api: Api) -> None:
    await dispatched(api)
    assert (await api.call("POST", "/dispatches/r1.1/price/disputes", {"line": 1, "text": TEXT}))[0] == 200
    stored = await api.store.market(api.market).requests.records.get("r1")
    assert stored is not None
    assert "Nightingale" not in repr(stored)
    assert sealed_by_key({}, {"r1": stored}, ()) == {"dev": Sealed(comments=1)}  # its key is not retired
    for method, what in (("GET", "price"), ("POST", "waiting"), ("POST", "ready")):
        path = f"/dispatches/r1.1/{what}"
        assert (await api.call(method, path, role=Role.VENDOR, vendor="v2"))[0] == 404
    _, own = await api.call("GET", "/dispatches/r1.1/price", role=Role.VENDOR, vendor="v1")
    assert json.dumps(own).count(TEXT) == 1


async def test_of_many_who_dispute_or_settle_at_once_one_does(api: Api) -> None:
    await dispatched(api)
    said = await asyncio.gather(*(vendors(api, "price/disputes", {"line": 1, "text": "x"}) for _ in range(8)))
    assert sorted(status for status, _ in said) == [200] + [409] * 7
    path, reason = "/dispatches/r1.1/price/disputes/1/settle", {"reason": "x"}
    sums = range(4_000, 4_008)
    told = await asyncio.gather(
        *(api.call("POST", path, reason | {"cents": each}, role=Role.OPS) for each in sums)
    )
    (price,) = [answer for status, answer in told if status == 200]
    assert price["price_cents"] == price["disputes"][0]["settled_cents"] in sums
    assert (await audit(api.store.reader, api.market, streams=True))["findings"] == []


async def test_an_open_dispute_keeps_its_request_and_goes_with_it_once_it_is_settled(api: Api) -> None:
    await dispatched(api)
    await api.call("POST", "/requests/r1/cancel", {})
    assert (await vendors(api, "price/disputes", {"line": 1, "text": TEXT}))[0] == 200
    kinds = [kind_named(name) for name in ("task", "request", "task")]
    timers = Timers(api.service)
    for days, status in ((10, 200), (4, 404)):
        api.clock.ms += days * 24 * HOUR_MS
        for kind in kinds:
            await timers.fire_kind(api.market, kind)
        assert (await api.call("GET", "/requests/r1"))[0] == status
        path = "/dispatches/r1.1/price/disputes/1/settle"
        await api.call("POST", path, {"reason": "so it was"}, role=Role.OPS)
    assert (await audit(api.store.reader, api.market, streams=True))["findings"] == []


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({"since": at(60)}, 422),
        ({"since": at(5), "until": at(4)}, 422),
        ({"until": "1970-01-01T00:00:00Z"}, 422),
    ],
)
async def test_a_wait_that_cannot_have_been_is_refused(api: Api, said: dict[str, str], status: int) -> None:
    await dispatched(api)
    assert (await vendors(api, "waiting", said))[0] == status
    assert (await vendors(api, "ready"))[0] == 409


async def test_what_was_waited_is_never_settled_below_nothing_for_it_may_be_all_that_is_left(
    api: Api,
) -> None:
    await dispatched(api)
    api.clock.ms = START + 40 * MINUTE_MS
    await vendors(api, "waiting", {"since": at(0), "until": at(40)})
    assert (await vendors(api, "price/disputes", {"line": 2, "text": TEXT}))[0] == 200
    path, reason = "/dispatches/r1.1/price/disputes/1/settle", {"reason": "x"}
    status, problem = await api.call("POST", path, reason | {"cents": -1}, role=Role.OPS)
    assert (status, "waiting of dispatch r1.1 cannot be -1 cents" in problem["detail"]) == (422, True)
    assert (await api.call("POST", path, reason | {"cents": 0}, role=Role.OPS))[0] == 200
    assert (await vendors(api, "status", {"status": "no_show"}))[0] == 200
    _, price = await api.call("GET", "/dispatches/r1.1/price")
    assert (price["price_cents"], (await audit(api.store.reader, api.market))["findings"]) == (1_500, [])


async def test_what_was_waited_stays_as_it_was_counted_when_another_start_is_agreed(api: Api) -> None:
    await dispatched(api)
    api.clock.ms = START + 46 * MINUTE_MS
    _, price = await vendors(api, "waiting", {"since": at(0), "until": at(46)})
    later = {"pickup_window": {"earliest": at(60), "latest": at(90)}}
    assert (await api.call("POST", "/requests/r1/amend", later))[0] == 200
    agree = "/offers/r1.1/amendment/agree"
    assert (await api.call("POST", agree, {"number": 1}, role=Role.VENDOR, vendor="v1"))[0] == 200
    api.clock.ms = START + 50 * MINUTE_MS
    for what, body in (("waiting", {"since": at(48)}), ("ready", {})):  # too early for the new start
        status, told = await vendors(api, what, body)
        assert (status, told["price_lines"][1]) == (200, price["price_lines"][1])
    api.clock.ms = START + 106 * MINUTE_MS
    _, told = await vendors(api, "waiting", {"since": at(60), "until": at(106)})
    assert adds_up(told) == ["base", "waiting"]
    assert told["price_lines"][1]["quantity"] == 3.0  # twice 46 minutes, 15 of them free
