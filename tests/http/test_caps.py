"""Caps per payer and vendor: never over, whoever commits at once; what is given back is free again."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from client.vendor import VendorClient
from contracts.codes import Role
from contracts.instants import to_ms
from dispatcher.audit.judge import judge
from dispatcher.jobs.timers import Timers
from dispatcher.store.survey import survey
from tests.http.conftest import NOW, Api, trip
from tests.http.test_by_hand import DAY, add, answered, put_to

CAPS = "/vendors/v1/caps"


def cap(payer: str = "medicaid", period: str = "day", **most: int) -> dict[str, Any]:
    return {"payer": payer, "period": period, **most}


async def set_caps(api: Api, *caps: dict[str, Any], role: Role = Role.OPS, **headers: str) -> tuple[int, Any]:
    return await api.call("PUT", CAPS, {"caps": list(caps)}, role=role, **headers)


async def left(api: Api, payer: str = "medicaid", period: str = "day", day: str = DAY) -> tuple[Any, ...]:
    """Trips and cents: used, left."""
    status, view = await api.call("GET", f"{CAPS}?day={day}", role=Role.OPS)
    assert status == 200, view
    (one,) = (each for each in view["caps"] if (each["payer"], each["period"]) == (payer, period))
    return one["used_trips"], one["left_trips"], one["used_cents"], one["left_cents"]


async def submit(api: Api, *names: str, payer: str = "medicaid") -> None:
    for name in names:
        status, told = await api.call("POST", "/requests", trip(name) | {"payer": payer})
        assert status == 202, told


async def is_sound(api: Api) -> bool:
    return not judge(await survey(api.store.reader, api.market))


@pytest.fixture
async def town(api: Api) -> Api:
    """A vendor with many vans."""
    await add(api, "v1", units=40)
    return api


async def test_over_the_cap_no_work_is_offered_and_the_rule_says_so(town: Api) -> None:
    assert (await set_caps(town, cap(trips=1)))[0] == 201
    await submit(town, "r1", "r2")
    assert (await put_to(town, "v1", "r1"))[0] == 200
    assert (await left(town))[:2] == (1, 0)
    status, problem = await put_to(town, "v1", "r2")
    assert (status, problem["rules"]) == (409, ["cap"])
    await submit(town, "other", payer="medicare")
    assert (await put_to(town, "v1", "other"))[0] == 200, "another payer's is another matter"
    assert await is_sound(town)


async def authorized(api: Api, name: str, payer: str, *requests: str, **headers: str) -> None:
    """For these requests; from now on rides need one."""
    values = {"values": {"authorization_wheelchair": 1}, "reason": "a test"}
    await api.call("PUT", "/tuning", values, role=Role.OPS)
    days = {"first_day": "2020-01-01", "last_day": "2099-12-31"}
    body = {"number": "A-1", "payer": payer, "services": ["wheelchair"], "granted": 5, "requests": requests}
    path, role = f"/authorizations/{name}", Role.CASE_MANAGER
    assert (await api.call("PUT", path, body | days, role=role, **headers))[0] < 300


async def test_who_pays_follows_from_the_authorization_where_the_request_does_not_say(town: Api) -> None:
    await set_caps(town, cap(trips=1))
    await authorized(town, "a1", "medicaid", "r1", "r2")
    for name, named in (("r1", {"authorization": "a1"}), ("r2", {"authorization": "a1"}), ("later", {})):
        assert (await town.call("POST", "/requests", trip(name) | named))[0] == 202
    assert (await put_to(town, "v1", "r1"))[0] == 200
    assert (await put_to(town, "v1", "r2"))[1]["rules"] == ["cap"]
    assert (await left(town))[:2] == (1, 0)
    await authorized(town, "a2", "medicaid", "later")  # it waited for that
    assert (await put_to(town, "v1", "later"))[1]["rules"] == ["cap"]
    assert await is_sound(town)


async def test_a_request_does_not_draw_on_the_authorization_of_another_payer(town: Api) -> None:
    async def on_hold() -> list[str]:
        views = [(await town.call("GET", f"/requests/{each}"))[1] for each in ("r1", "same")]
        return [each["id"] for each in views if each["state"] == "on_hold"]

    await authorized(town, "a1", "medicare", "r1", "same")
    for name, payer in (("r1", "medicaid"), ("same", "Medicare")):
        body = trip(name) | {"authorization": "a1", "payer": payer}
        assert (await town.call("POST", "/requests", body))[0] == 202
    assert await on_hold() == ["r1"]
    task = (await town.call("GET", "/tasks/r1.authorization_missing", role=Role.CASE_MANAGER))[1]
    assert task["code"] == "authorization_other_payer"
    await authorized(town, "a1", "Blue Cross of Ohio", "r1", "same", If_Match="*")  # no id is called so
    assert await on_hold() == []


async def test_cents_are_counted_as_the_price_is_and_stay_within_the_cap(town: Api) -> None:
    await submit(town, "r1", "r2")
    _, view = await put_to(town, "v1", "r1")
    price = view["match"]["price_cents"]
    for most, status in ((2 * price - 1, 409), (2 * price, 200)):
        headers = {} if most < 2 * price else {"If_Match": "*"}
        await set_caps(town, cap(cents=most), **headers)
        assert (await put_to(town, "v1", "r2"))[0] == status
    assert (await left(town))[2:] == (2 * price, 0)
    assert await is_sound(town)


@pytest.mark.parametrize("step", ["decline", "cancel", "turn_back"])
async def test_what_is_given_back_is_free_again(town: Api, step: str) -> None:
    await set_caps(town, cap(trips=1), cap(period="month", trips=1), cap(period="year", cents=10_000_000))
    await submit(town, "r1", "r2")
    assert (await put_to(town, "v1", "r1"))[0] == 200
    if step == "cancel":
        assert (await town.call("POST", "/requests/r1/cancel"))[0] == 200
    else:
        if step == "turn_back":
            await answered(town, "r1.1", "accept", "v1")
            body, path = {"status": "turned_back", "code": "NO_VEHICLES_AVAILABLE"}, "/dispatches/r1.1/status"
        else:
            body, path = {"code": "NO_VEHICLES_AVAILABLE"}, "/offers/r1.1/decline"
        status, told = await town.call("POST", path, body, role=Role.VENDOR, vendor="v1")
        assert status == 200, told
    assert await left(town) == (0, 1, 0, None)
    assert (await left(town, period="year"))[2] == 0
    assert (await put_to(town, "v1", "r2"))[0] == 200
    assert await is_sound(town)


async def test_work_that_was_done_stays_counted_also_once_it_is_forgotten(town: Api) -> None:
    await set_caps(town, cap(period="month", trips=1))
    await submit(town, "r1", "r2")
    await put_to(town, "v1", "r1")
    await answered(town, "r1.1", "accept", "v1")
    town.clock.ms = to_ms(NOW + timedelta(days=1, hours=1))
    done = {"status": "completed"}
    assert (await town.call("POST", "/dispatches/r1.1/status", done, role=Role.VENDOR, vendor="v1"))[0] == 200
    assert (await left(town, period="month"))[:2] == (1, 0)
    assert await is_sound(town)
    stored = town.store.market(town.market)
    record = await stored.requests.records.get("r1")
    assert record is not None
    town.clock.ms = record.timer_ms + 1
    timers = Timers(town.service)
    while await timers.fire_due(town.market):
        pass
    assert await stored.requests.records.get("r1") is None
    assert (await left(town, period="month"))[:2] == (1, 0)
    assert await is_sound(town), "what is forgotten is told of beside"


async def test_never_over_the_cap_whoever_books_at_once(town: Api) -> None:
    await set_caps(town, cap(trips=2), cap(period="year", cents=100_000_000))
    names = [f"r{number}" for number in range(6)]
    await submit(town, *names)
    found = await asyncio.gather(*(put_to(town, "v1", each) for each in names))
    statuses = sorted(status for status, _ in found)
    assert statuses == [200] * 2 + [409] * 4
    assert {tuple(told["rules"]) for status, told in found if status == 409} == {("cap",)}
    assert (await left(town))[:2] == (2, 0)
    assert await is_sound(town)


async def test_a_cap_that_is_lowered_takes_nothing_back_and_lets_nothing_more_through(town: Api) -> None:
    await submit(town, "r1", "r2", "r3")
    await put_to(town, "v1", "r1")
    await put_to(town, "v1", "r2")
    await set_caps(town, cap(trips=1))
    assert (await left(town))[:2] == (2, 0), "what was booked before there was a cap counts"
    assert (await put_to(town, "v1", "r3"))[0] == 409
    assert (await set_caps(town, If_Match='"1"'))[0] == 200
    assert (await put_to(town, "v1", "r3"))[0] == 200


async def test_an_amended_ride_keeps_its_vendor_at_a_full_cap(town: Api) -> None:
    await set_caps(town, cap(trips=1))
    await submit(town, "r1")
    await put_to(town, "v1", "r1")
    await answered(town, "r1.1", "accept", "v1")
    later = NOW + timedelta(days=1, hours=1)
    window = {"earliest": later.isoformat(), "latest": (later + timedelta(minutes=30)).isoformat()}
    status, told = await town.call("POST", "/requests/r1/amend", {"pickup_window": window})
    assert status in (200, 202), told
    agree = "/offers/r1.1/amendment/agree"
    status, told = await town.call("POST", agree, {"number": 1}, role=Role.VENDOR, vendor="v1")
    assert (status, told["state"]) == (200, "accepted"), told
    assert (await left(town))[:2] == (1, 0)
    assert await is_sound(town)


async def test_caps_are_set_by_ops_or_a_case_manager_and_read_by_the_vendor_itself(town: Api) -> None:
    assert (await set_caps(town, cap(trips=1), role=Role.CASE_MANAGER))[0] == 201
    assert (await set_caps(town, cap(trips=2)))[0] == 428
    assert (await set_caps(town, cap(trips=2), If_Match='"9"'))[0] == 412
    assert (await set_caps(town, cap(trips=2), If_Match='"1"'))[0] == 200
    for role in (Role.PLATFORM, Role.COORDINATOR):
        assert (await set_caps(town, cap(trips=9), role=role, If_Match="*"))[0] in (403, 404)
    body = {"caps": []}
    assert (await town.call("PUT", CAPS, body, role=Role.VENDOR, vendor="v1", If_Match="*"))[0] == 403
    status, view = await town.call("GET", CAPS, role=Role.VENDOR, vendor="v1")
    assert (status, view["caps"][0]["trips"]) == (200, 2)
    assert (await town.call("GET", CAPS, role=Role.VENDOR, vendor="v2"))[0] == 404
    assert (await town.call("GET", "/vendors/v9/caps", role=Role.OPS))[0] == 404
    _, page = await town.call("GET", "/audit?group=vendors", role=Role.OPS)
    assert [each["by"] for each in page["acts"] if each["act"] == "put_caps"].count("case_manager") == 1


async def test_what_is_no_cap_is_refused(town: Api) -> None:
    for caps in (
        [cap()],
        [cap(trips=-1)],
        [cap(cents=10**12)],
        [cap(period="week", trips=1)],
        [cap(payer="Medicaid of New York", trips=1)],
        [cap(trips=1), cap(cents=1)],
    ):
        status, problem = await set_caps(town, *caps)
        assert (status, problem["type"]) == (422, "/problems/invalid-message")


async def test_a_year_begins_anew_by_the_markets_calendar(town: Api) -> None:
    await set_caps(town, cap(period="year", trips=1))
    await submit(town, "r1")
    await put_to(town, "v1", "r1")
    assert (await left(town, period="year"))[:2] == (1, 0)
    assert (await left(town, period="year", day="2026-12-31"))[:2] == (1, 0)
    assert (await left(town, period="year", day="2027-01-01"))[:2] == (0, 1)


async def test_a_countered_price_beyond_the_cap_is_refused_in_words_and_the_offer_stays_good(
    town: Api,
) -> None:
    assert (await set_caps(town, cap(cents=6_000)))[0] == 201
    await submit(town, "r1")
    assert (await put_to(town, "v1", "r1"))[0] == 200
    _, offer = await town.call(
        "POST", "/offers/r1.1/counter", {"price_cents": 9_900}, role=Role.VENDOR, vendor="v1"
    )
    assert (offer["state"], offer["counter"]["state"]) == ("requested", "pending")
    take = {"number": 1}
    status, problem = await town.call("POST", "/offers/r1.1/counter/take", take, role=Role.COORDINATOR)
    assert (status, problem["rules"]) == (409, ["cap"]), problem
    assert "cap" in problem["detail"]
    used, _, cents, _ = await left(town)
    assert (used, cents) == (1, offer["price_cents"])
    assert (await set_caps(town, cap(cents=9_900), If_Match='"1"'))[0] == 200
    status, view = await town.call("POST", "/offers/r1.1/counter/take", take, role=Role.COORDINATOR)
    assert (status, view["match"]["price_cents"], (await left(town))[2:]) == (200, 9_900, (9_900, 0))
    assert await is_sound(town)


async def test_why_is_for_the_vendor_itself_and_ops_and_tells_of_nobody(town: Api) -> None:
    town.service.store.market(town.market).losses.note(
        {
            ("2026-03-02", "needs:wheelchair"): {"v1": 2},
            ("2026-03-02", "needs::max_weight_kg::180"): {"v1": 2},
        }
    )
    await town.service.store.market(town.market).losses.write()
    status, own = await town.call("GET", "/vendors/v1/why?days=2", role=Role.VENDOR, vendor="v1")
    assert (status, own["decided"]) == (200, 2)
    says = {"says": "set max_weight_kg to \u2265 180", "what": "max_weight_kg", "pool": "", "at_least": 180}
    assert own["lost"][0]["remedies"] == [says | {"requests": 2}]
    assert (await town.call("GET", "/vendors/v1/why", role=Role.OPS))[0] == 200
    assert (await town.call("GET", "/vendors/v1/why", role=Role.VENDOR, vendor="v2"))[0] == 404
    assert (await town.call("GET", "/vendors/v1/why", role=Role.COORDINATOR))[0] in (403, 404)
    assert (await town.call("GET", "/vendors/v1/why?days=31", role=Role.OPS))[0] in (400, 422)
    async with VendorClient(
        str(town.client.make_url("/")), town.token(Role.VENDOR, vendor="v1"), town.market
    ) as v1:
        assert (await v1.why("v1")).decided == 2
