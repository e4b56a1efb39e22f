"""docs/operations.md is true about access: a vendor's Redis user reads its stream, replies, and no more."""

import re
from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.exceptions import NoPermissionError

from client.streams import VendorStream
from dispatcher.serve.embedded import EmbeddedRedis
from tests.client.test_http import NOON
from tests.client.test_streams import say, take

DOCUMENT = Path(__file__).parents[2] / "docs" / "operations.md"


async def test_a_vendors_redis_user_can_do_its_work_and_nothing_else(tmp_path):
    text = DOCUMENT.read_text(encoding="utf-8")
    command = re.search(r"^(ACL SETUSER .*?)^```", text, re.MULTILINE | re.DOTALL)
    words = command[1].replace("\\\n", " ").replace(">SECRET", ">secret").split()
    async with EmbeddedRedis(tmp_path) as server:
        admin = Redis.from_url(server.url)
        if (await admin.info("server"))["redis_version"] < "7.2":  # as the document says
            words.remove("+client|setinfo")
        await admin.execute_command(*words)
        url = server.url.replace("unix://", "unix://careful-vans:secret@")
        async with VendorStream(url, "metro", "careful-vans", "token") as own:
            await say(admin, own.stream, "a")
            assert await take(own, 1) == ["a"]
            await own.accept("r1.1", NOON)
            assert await admin.xlen(own.replies) == 1
            with pytest.raises(NoPermissionError):
                await own.redis.xrange(own.replies)
            with pytest.raises(NoPermissionError):
                await own.redis.execute_command("KEYS", "*")
        async with VendorStream(url, "metro", "another", "token") as foreign:
            with pytest.raises(NoPermissionError):
                await take(foreign, 1)
        await admin.aclose()
