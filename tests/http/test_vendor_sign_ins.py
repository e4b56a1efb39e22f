"""Sign-in links for a vendor's page: ops issues them, each opens one session, and ops ends them all."""

from __future__ import annotations

import asyncio

from contracts.codes import Role
from contracts.vendor_sign_ins import NewSignInLink
from dispatcher.service.vendor_sign_ins import plain
from tests.http.conftest import Api
from tests.http.test_versions import VENDOR

LINKS, SESSIONS = "/vendors/v1/sign-in-links", "/vendors/v1/sessions"


async def registered(api: Api) -> None:
    assert (await api.call("PUT", "/vendors/v1", VENDOR | {"id": "v1"}, role=Role.OPS))[0] == 201


async def test_a_link_and_its_code_open_one_session_and_it_stands_in_the_audit_who_issued_them(
    api: Api,
) -> None:
    await registered(api)
    status, made = await api.call("POST", LINKS, {"subject": "Ana", "hours": 8}, role=Role.OPS)
    assert (status, made["hours"]) == (200, 8)
    assert made["url"].partition("#")[2] == made["code"]
    assert made["url"].partition("/vendor/enter")[0].startswith("http://127.0.0.1")
    sign_ins = api.service.vendor_sign_ins
    said = await sign_ins.redeem(f" {made['code'].lower().replace('-', '')} ")
    assert said is not None
    assert (said.market, said.vendor_id, said.subject, said.hours) == (api.market, "v1", "Ana", 8)
    assert await sign_ins.redeem(made["code"]) is None, "it was used"
    _, audit = await api.call("GET", "/audit", role=Role.OPS)
    acts = [(each["act"], each["about"], each["detail"]) for each in audit["acts"]]
    assert ("issue_sign_in_link", "v1", "Ana 8 h") in acts


async def test_of_many_who_use_one_code_at_once_one_has_the_session(api: Api) -> None:
    await registered(api)
    _, made = await api.call("POST", LINKS, role=Role.OPS)
    redeem = api.service.vendor_sign_ins.redeem
    found = await asyncio.gather(*(redeem(made["code"]) for _ in range(16)))
    assert len([each for each in found if each is not None]) == 1


async def test_a_code_holds_so_long_and_not_once_ops_has_ended_all_sessions(api: Api) -> None:
    await registered(api)
    sign_ins = api.service.vendor_sign_ins
    _, old = await api.call("POST", LINKS, {"minutes": 5}, role=Role.OPS)
    _, ended = await api.call("POST", LINKS, role=Role.OPS)
    assert (await api.call("DELETE", SESSIONS, role=Role.OPS))[0] == 200
    _, later = await api.call("POST", LINKS, role=Role.OPS)
    api.clock.ms += 5 * 60_000
    assert await sign_ins.redeem(old["code"]) is None
    assert await sign_ins.redeem(ended["code"]) is None
    assert await sign_ins.redeem(later["code"]) is not None


async def test_there_is_no_link_for_a_vendor_that_is_none_nor_for_an_odd_name(api: Api) -> None:
    assert (await api.call("POST", LINKS, role=Role.OPS))[0] == 404
    assert (await api.call("DELETE", SESSIONS, role=Role.OPS))[0] == 404
    await registered(api)
    for odd in ({"subject": "A\nB"}, {"subject": " "}, {"hours": 0}, {"hours": 2_161}, {"minutes": 1_441}):
        assert (await api.call("POST", LINKS, odd, role=Role.OPS))[0] == 422


def test_a_code_is_read_as_it_was_typed() -> None:
    assert plain(" k7qx-2m9p oil1 ") == "K7QX2M9P0111"
    assert NewSignInLink().hours == 336


async def signed_in(api: Api, subject: str = "", hours: int = 24, name: str = "") -> None:
    """As the page does with a code."""
    _, made = await api.call("POST", LINKS, {"subject": subject, "hours": hours}, role=Role.OPS)
    said = await api.service.vendor_sign_ins.redeem(made["code"])
    assert said is not None
    await api.service.vendor_sign_ins.opened(said, name or f"{subject}{hours}")


async def who(api: Api) -> list[str]:
    _, found = await api.call("GET", SESSIONS, role=Role.OPS)
    return [each["subject"] for each in found["sessions"]]


async def test_sessions_are_listed_by_person_until_they_are_over_and_end_by_person(api: Api) -> None:
    await registered(api)
    assert await who(api) == []
    for subject, hours in (("Ana", 1), ("Ana", 24), ("Ben", 24), ("", 24)):
        await signed_in(api, subject, hours)
        api.clock.ms += 1_000
    assert await who(api) == ["v1", "Ben", "Ana", "Ana"], "who was not named is its vendor"
    _, unused = await api.call("POST", LINKS, {"subject": "Ana"}, role=Role.OPS)
    _, others = await api.call("POST", LINKS, {"subject": "Ben"}, role=Role.OPS)
    api.clock.ms += 3_600_000
    assert await who(api) == ["v1", "Ben", "Ana"], "one is over by its time"
    api.clock.ms -= 3_600_000
    status, ended = await api.call("DELETE", f"{SESSIONS}?subject=Ana", role=Role.OPS)
    assert (status, ended["subject"]) == (200, "Ana")
    assert await who(api) == ["v1", "Ben"]
    redeem = api.service.vendor_sign_ins.redeem
    assert [await redeem(each["code"]) is None for each in (unused, others)] == [True, False]
    await signed_in(api, "Ana")
    assert await who(api) == ["Ana", "v1", "Ben"], "a new link is a new beginning"
    _, audit = await api.call("GET", "/audit", role=Role.OPS)
    acts = [(each["act"], each["detail"]) for each in audit["acts"]]
    assert ("end_vendor_sessions", "Ana") in acts
    assert (await api.call("DELETE", SESSIONS, role=Role.OPS))[0] == 200
    assert await who(api) == []
    odd = [f"{SESSIONS}?subject={each}" for each in ("", "a" * 65, "a%0Ab")]
    assert [(await api.call("DELETE", each, role=Role.OPS))[0] for each in odd] == [400, 400, 422]
    assert (await api.call("GET", "/vendors/v9/sessions", role=Role.OPS))[0] == 404
