"""Event streams: what happens is heard, in order, by those who may; a broken connection loses nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import msgspec
import pytest
from aiohttp import ClientResponse

from contracts.codes import Role
from contracts.events import CloudEvent, FeedGap
from contracts.instants import HOUR_MS
from dispatcher.delivery import hub
from dispatcher.http.concurrency import Limits
from dispatcher.http.events import encoded
from dispatcher.jobs.timers import Timers
from tests.domain import make
from tests.http.conftest import Api, trip
from tests.http.test_offers import offered

TIMEOUT_S = 30.0


@asynccontextmanager
async def _following(api: Api, after: str = "", **who: Any) -> AsyncIterator[ClientResponse]:
    headers = api.headers(**who) | ({"Last-Event-ID": after} if after else {})
    async with api.client.get(f"{api.base}/events", headers=headers) as answer:
        assert answer.status == 200
        assert answer.headers["Content-Type"] == "text/event-stream"
        opening = await _block(answer)
        assert opening.pop("") == "open"
        assert set(opening) == {"id"} or "dispatch.feed.gap" in opening["data"]
        answer.opening = opening  # type: ignore[attr-defined]
        yield answer


async def _block(answer: ClientResponse) -> dict[str, str]:
    """The fields of the next block; a comment is the field without a name."""
    fields: dict[str, str] = {}
    while line := (await asyncio.wait_for(answer.content.readline(), TIMEOUT_S)).decode().rstrip("\n"):
        name, _, value = line.partition(":")
        fields[name] = value.strip()
    return fields


async def _subjects(answer: ClientResponse, count: int) -> list[tuple[str, str]]:
    """(position, subject) of the next events."""
    blocks = [await _block(answer) for _ in range(count)]
    return [(each["id"], msgspec.json.decode(each["data"], type=CloudEvent).subject) for each in blocks]


async def test_a_listener_hears_what_happens_in_order(api: Api) -> None:
    async with _following(api) as answer:
        for number in range(5):
            await api.call("POST", "/requests", trip(f"r{number}"))
        heard = await _subjects(answer, 5)
    assert [subject for _, subject in heard] == [f"r{number}" for number in range(5)]


async def test_a_listener_that_comes_back_hears_what_it_missed_and_nothing_twice(api: Api) -> None:
    async with _following(api) as answer:
        await api.call("POST", "/requests", trip("r0"))
        ((position, _),) = await _subjects(answer, 1)
    for number in range(1, 4):
        await api.call("POST", "/requests", trip(f"r{number}"))
    async with _following(api, after=position) as answer:
        missed = await _subjects(answer, 3)
        await api.call("POST", "/requests", trip("r4"))
        assert [subject for _, subject in missed + await _subjects(answer, 1)] == ["r1", "r2", "r3", "r4"]


async def test_a_cut_before_the_first_event_loses_none(api: Api) -> None:
    async with _following(api) as answer:
        position = _opening(answer)["id"]
    await api.call("POST", "/requests", trip("r0"))
    async with _following(api, after=position) as answer:
        assert _opening(answer) == {"id": position}
        assert [subject for _, subject in await _subjects(answer, 1)] == ["r0"]
    async with _following(api) as answer:
        position = _opening(answer)["id"]
    await api.call("POST", "/requests", trip("r1"))
    async with _following(api, after=position) as answer:
        assert [subject for _, subject in await _subjects(answer, 1)] == ["r1"]


def _opening(answer: ClientResponse) -> dict[str, str]:
    opening: dict[str, str] = answer.opening  # type: ignore[attr-defined]
    return opening


def _gap(answer: ClientResponse) -> tuple[str, str]:
    """Why, and behind which position, something is missing."""
    told = msgspec.json.decode(_opening(answer)["data"], type=CloudEvent)
    assert told.type == "dispatch.feed.gap"
    assert '"specversion":"1.0"' in _opening(answer)["data"], "no CloudEvent without"
    gap = msgspec.convert(told.data, FeedGap)
    return gap.reason.value, gap.after


async def test_a_position_whose_followers_were_trimmed_is_told(api: Api) -> None:
    ask, events = api.store.reader.ask, api.store.market(api.market).keys.events
    for number in range(4):
        await api.call("POST", "/requests", trip(f"r{number}"))
    first, second, third, fourth = [entry.id for entry in await api.store.streams.read(events)]
    await ask("XTRIM", events, "MINID", third)
    for position in (first, "0-0"):
        async with _following(api, after=position) as answer:
            assert _gap(answer) == ("trimmed", position)
            assert [subject for _, subject in await _subjects(answer, 2)] == ["r2", "r3"]
    for position in (third, fourth):
        async with _following(api, after=position) as answer:
            assert _opening(answer) == {"id": f"{position}~0-0"}
    await ask("XTRIM", events, "MAXLEN", 0)
    async with _following(api, after=second) as answer:
        assert _gap(answer) == ("trimmed", second)
    async with _following(api, after=fourth) as answer:
        assert _opening(answer) == {"id": f"{fourth}~0-0"}
    async with _following(api) as answer:  # from now on, though nothing stands there any more
        assert _opening(answer) == {"id": f"{fourth}~0-0"}


async def test_a_position_ahead_of_the_stream_is_told_and_what_comes_is_heard(api: Api) -> None:
    for before in (False, True):
        if before:
            await api.call("POST", "/requests", trip("r0"))
        async with _following(api, after="999999999999999-0") as answer:
            assert _gap(answer) == ("ahead", "999999999999999-0")
            await api.call("POST", "/requests", trip(f"after-{before}"))
            assert [subject for _, subject in await _subjects(answer, 1)] == [f"after-{before}"]
            again = _opening(answer)["id"]
        async with _following(api, after=again) as answer:
            assert _opening(answer) == {"id": again}


async def test_who_listens_to_a_stream_that_falls_back_is_let_go_and_told_once_back(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a fail-over to a server that lacks the latest, and whose clock is behind."""
    monkeypatch.setattr(hub, "LOOK_EVERY_S", 0.01)
    ask, events = api.store.reader.ask, api.store.market(api.market).keys.events
    await ask("XADD", events, "999999999999999-0", "ce", b"")
    async with _following(api) as answer:
        position = _opening(answer)["id"]
        await ask("DEL", events)
        await asyncio.wait_for(answer.content.read(), TIMEOUT_S)
    async with _following(api, after=position) as answer:
        assert _gap(answer) == ("ahead", position)
        await api.call("POST", "/requests", trip("r0"))
        assert [subject for _, subject in await _subjects(answer, 1)] == ["r0"]


async def test_an_event_is_encoded_once_for_all_who_listen(api: Api) -> None:
    encoded.cache_clear()
    async with AsyncExitStack() as stack:
        listeners = [await stack.enter_async_context(_following(api)) for _ in range(20)]
        for number in range(3):
            await api.call("POST", "/requests", trip(f"r{number}"))
        heard = [await _subjects(listener, 3) for listener in listeners]
    assert all(each == heard[0] for each in heard)
    assert encoded.cache_info().misses == 3


async def test_a_vendor_hears_nothing_of_others(api: Api) -> None:
    async with _following(api, role=Role.VENDOR, vendor="v1") as vendors, _following(api) as platforms:
        await api.call("POST", "/requests", trip("r0"))
        assert [subject for _, subject in await _subjects(platforms, 1)] == ["r0"]
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(vendors.content.readline(), 0.5)


@pytest.mark.parametrize("role", [Role.PLATFORM, Role.OPS])
async def test_who_sees_requests_hears_that_they_were_matched_and_comes_back_behind_it(
    api: Api, role: Role
) -> None:
    api.clock.ms = make.NOW
    async with _following(api, role=role) as answer:
        await offered(api)
        heard = [await _event(answer) for _ in range(3)]
        assert {told.type for _, told in heard} == {
            "dispatch.request.received",
            "dispatch.request.changed",
            "dispatch.request.matched",
        }
        position, _ = heard[-1]
    await api.call("POST", "/offers/r1.1/accept", {}, role=Role.VENDOR, vendor="v1")
    async with _following(api, role=role, after=position) as answer:
        assert {(await _event(answer))[1].type for _ in range(2)} == {
            "dispatch.request.changed",
            "dispatch.request.matched",
        }


async def test_who_sees_requests_hears_that_none_was_found(api: Api) -> None:
    await api.call("POST", "/requests", trip("r0"))
    api.clock.ms += 48 * HOUR_MS
    await Timers(api.service).fire_due(api.market)
    async with _following(api, after="0-0") as answer:
        told = [(await _event(answer))[1] for _ in range(4)]
        found = [each for each in told if each.type == "dispatch.request.unmatched"]
        assert [each.subject for each in found] == ["r0"]


async def _event(answer: ClientResponse) -> tuple[str, CloudEvent]:
    """The next one, and the position behind it."""
    block = await _block(answer)
    return block["id"], msgspec.json.decode(block["data"], type=CloudEvent)


async def test_a_vendor_does_not_hear_who_else_was_matched(api: Api) -> None:
    async with _following(api, role=Role.VENDOR, vendor="v2") as others:
        await offered(api)
        await api.call("POST", "/offers/r1.1/accept", {}, role=Role.VENDOR, vendor="v1")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(others.content.readline(), 0.5)


@pytest.mark.parametrize("limits", [Limits(keep_alive_s=0.02)])
async def test_a_silent_stream_is_kept_open_by_comments(api: Api) -> None:
    async with _following(api) as answer:
        assert await _block(answer) == {"": "still here"}
        assert await _block(answer) == {"": "still here"}


@pytest.mark.parametrize("limits", [Limits(keep_alive_s=0.05)])
async def test_a_stream_ends_when_its_token_expires(api: Api) -> None:
    async with _following(api) as answer:
        assert await _block(answer) == {"": "still here"}
        api.clock.ms += 3_600_000
        await asyncio.wait_for(answer.content.read(), TIMEOUT_S)  # to its end


async def test_a_position_that_is_none_is_a_400(api: Api) -> None:
    headers = api.headers(Last_Event_ID="yesterday")
    async with api.client.get(f"{api.base}/events", headers=headers) as answer:
        assert answer.status == 400


@pytest.mark.parametrize("cancelling", [False, True])
async def test_shutdown_ends_open_streams_promptly(api: Api) -> None:
    async with _following(api) as answer, _following(api, role=Role.OPS):
        loop = asyncio.get_running_loop()
        before = loop.time()
        await api.client.server.close()
        assert await asyncio.wait_for(answer.content.read(), TIMEOUT_S) in (b"", b": still here\n\n")
        assert loop.time() - before < 30.0  # aiohttp would wait 60 s for them


@pytest.mark.parametrize("cancelling", [False, True])
@pytest.mark.parametrize("limits", [Limits(keep_alive_s=0.02)])
async def test_a_closed_tab_leaves_no_listener_behind(api: Api) -> None:
    async with _following(api):
        assert api.hub.listeners == 1
    async with asyncio.timeout(TIMEOUT_S):
        while api.hub.listeners:
            await asyncio.sleep(0.01)
