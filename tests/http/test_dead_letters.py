"""Dead letters and failed notifications: seen by ops without their content, and sent again once."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from contracts.codes import Role, TrackingStatus
from dispatcher.domain.kinds import kind_of
from dispatcher.domain.notifications import NotificationState
from dispatcher.store import codec
from dispatcher.store.events import FIELD, Entry
from dispatcher.store.streams import GROUP
from tests.domain.make import accepted, reporting
from tests.domain.test_parameters import notes
from tests.http.conftest import Api

BODY = b"Canary Nightingale"


async def buried(api: Api, stream: str, reason: str = "internal") -> Entry:
    """An entry that was put aside."""
    name = await api.store.reader.ask("XADD", stream, "*", FIELD, BODY)
    await api.store.streams.ensure_group(stream, GROUP)
    entry = Entry(stream, name.decode(), BODY)
    await api.store.market(api.market).dead_letters.bury(entry, GROUP, reason)
    return entry


async def listed(api: Api, query: str = "") -> list[dict[str, Any]]:
    status, page = await api.call("GET", f"/dead-letters{query}", role=Role.OPS)
    assert status == 200, page
    assert "Canary" not in str(page)
    return list(page["letters"])


@pytest.mark.parametrize("writer", ["", "v1"])
async def test_a_letter_is_sent_again_once_to_where_its_writer_writes(api: Api, writer: str) -> None:
    keys = api.store.market(api.market).keys
    stream = keys.replies(writer) if writer else keys.shared_replies
    entry = await buried(api, stream)
    (letter,) = await listed(api)
    assert (letter["entry_id"], letter["reason"], letter["kept"]) == (entry.id, "internal", True)
    path = f"/dead-letters/{letter['id']}/send-again"
    status, left = await api.call("POST", path, role=Role.OPS)
    assert (status, left["letters"]) == (200, [])
    (again,) = await api.store.streams.read(stream)
    assert (again.event, again.id != entry.id) == (BODY, True)
    assert (await api.call("POST", path, role=Role.OPS))[0] == 404
    assert len(await api.store.streams.read(stream)) == 1


async def test_a_letter_whose_entry_is_gone_says_so_and_can_be_let_go(api: Api) -> None:
    keys = api.store.market(api.market).keys
    entry = await buried(api, keys.shared_replies)
    await api.store.reader.ask("XDEL", entry.stream, entry.id)
    (letter,) = await listed(api)
    assert letter["kept"] is False
    status, refused = await api.call("POST", f"/dead-letters/{letter['id']}/send-again", role=Role.OPS)
    assert (status, refused["type"]) == (409, "/problems/wrong-state")
    assert entry.id in refused["detail"]
    assert (await api.call("POST", f"/dead-letters/{letter['id']}/forget", role=Role.OPS))[1]["letters"] == []


async def test_a_letter_that_names_a_key_of_another_market_gives_no_leave_to_write_there(api: Api) -> None:
    keys = api.store.market(api.market).keys
    foreign = f"{keys.prefix}replies-of-nobody"
    await buried(api, foreign)
    (letter,) = await listed(api)
    assert letter["kept"] is False
    assert (await api.call("POST", f"/dead-letters/{letter['id']}/forget", role=Role.OPS))[0] == 200
    assert len(await api.store.streams.read(foreign)) == 1


async def test_letters_are_paged_newest_first_and_are_for_ops(api: Api) -> None:
    keys = api.store.market(api.market).keys
    names = [(await buried(api, keys.shared_replies)).id for _ in range(3)]
    _, page = await api.call("GET", "/dead-letters?limit=2", role=Role.OPS)
    assert [each["entry_id"] for each in page["letters"]] == names[:0:-1]
    assert [each["entry_id"] for each in await listed(api, f"?cursor={page['cursor']}")] == names[:1]
    assert (await api.call("GET", "/dead-letters", role=Role.COORDINATOR))[0] == 403
    assert (await api.call("GET", "/dead-letters?cursor=x", role=Role.OPS))[0] == 400


async def test_a_failed_notification_is_listed_without_whom_it_reaches_and_sent_again(api: Api) -> None:
    record = accepted()
    (note,) = notes(reporting(record, TrackingStatus.EN_ROUTE))
    failed = replace(note, state=NotificationState.FAILED, code="refused", until_ms=api.clock.ms + 60_000)
    gone = replace(failed, id="n2", until_ms=api.clock.ms)
    stored = api.store.market(api.market)
    for each in (record, failed, gone):
        document = codec.pack(each.version, each)
        await api.store.reader.ask("SET", stored.keys.record(kind_of(each), each.id), document)
    listed = stored.keys.list("notifications:failed")
    await api.store.reader.ask("ZADD", listed, 1, failed.id, 2, gone.id)
    status, page = await api.call("GET", "/notifications", role=Role.OPS)
    assert status == 200, page
    assert [(each["id"], each["code"]) for each in page["notifications"]] == [
        (failed.id, "refused"),
        ("n2", "refused"),
    ]
    status, sent = await api.call("POST", f"/notifications/{failed.id}/send-again", role=Role.OPS)
    assert (status, sent["state"]) == (200, "due"), sent
    status, refused = await api.call("POST", "/notifications/n2/send-again", role=Role.OPS)
    assert (status, "says nothing new" in refused["detail"]) == (409, True)
    assert (await api.call("GET", "/notifications", role=Role.PLATFORM))[0] == 403
