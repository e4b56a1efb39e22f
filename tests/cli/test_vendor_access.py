"""`dispatcher vendor-access`: the server takes what it prints, and what it makes works."""

from __future__ import annotations

import asyncio
import re
import shlex
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import AuthenticationError, NoPermissionError

from contracts.streams import replies, vendor
from dispatcher import cli
from dispatcher.cli import vendor_access
from dispatcher.security.key_files import PatientKeyFile, RingFile, ensure_patient_keys, write_patient_keys
from dispatcher.serve.embedded import EmbeddedRedis
from dispatcher.store.store import Store

_numbers = count()


@pytest.fixture
def market(monkeypatch: pytest.MonkeyPatch, redis_server: EmbeddedRedis, tmp_path: Path) -> str:
    name = f"access{next(_numbers)}"
    monkeypatch.setenv("DISPATCHER_MARKETS", f"{name}=America/New_York")
    monkeypatch.setenv("DISPATCHER_REDIS_URL", redis_server.url)
    monkeypatch.setenv("DISPATCHER_DATA_DIR", str(tmp_path))
    ensure_patient_keys(tmp_path / "patient-keys.json")
    return name


@pytest.fixture
def admin(market: str, redis_server: EmbeddedRedis) -> Iterator[Redis]:
    client = Redis.from_url(redis_server.url)
    client.sadd(f"dispatch:{{{market}}}:vendors", "v1")
    yield client
    client.close()


def given(text: str) -> dict[str, str]:
    """What the vendor is to be told."""
    return dict(re.findall(r"^(user|password|reply key) +(\S+)$", text, re.MULTILINE))


def works(server: EmbeddedRedis, market: str, access: dict[str, str]) -> None:
    url = server.url.replace("unix://", f"unix://{access['user']}:{access['password']}@")
    with Redis.from_url(url) as client:
        client.xgroup_create(vendor(market, "v1"), "vendor", "0", mkstream=True)
        assert client.xreadgroup("vendor", "1", {vendor(market, "v1"): ">"}) == []
        assert client.xadd(replies(market, "v1"), {"ce": b"x"})
        with pytest.raises(NoPermissionError):
            client.xadd(replies(market, "v2"), {"ce": b"x"})


def test_the_line_that_it_prints_makes_the_user(
    market: str, admin: Redis, redis_server: EmbeddedRedis, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["vendor-access", "--market", market, "--vendor", "v1"]) == 0
    text = capsys.readouterr().out
    line, access = text.splitlines()[0], given(text)
    assert access["password"] not in line, "the line may be kept; the secret is for the vendor"
    assert access["reply key"] not in line
    admin.execute_command(*shlex.split(line))
    works(redis_server, market, access)


def test_it_makes_the_user_itself_and_a_second_time_the_old_secret_ends(
    market: str, admin: Redis, redis_server: EmbeddedRedis, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["vendor-access", "--market", market, "--vendor", "v1", "--apply"]
    assert cli.main(words) == 0
    first = capsys.readouterr()
    assert "no ACL file" in first.err
    works(redis_server, market, given(first.out))
    assert cli.main(words) == 0
    admin.delete(vendor(market, "v1"))
    works(redis_server, market, given(capsys.readouterr().out))
    with pytest.raises(AuthenticationError):
        works(redis_server, market, given(first.out))


@pytest.mark.parametrize(
    ("words", "said", "code"),
    [
        (["--market", "nowhere", "--vendor", "v1"], "no market 'nowhere'", 2),
        (["--vendor", "a b"], "'a b'", 2),
        (["--vendor", "x ~* +@all"], "x ~*", 2),
        (["--vendor", "v7", "--apply"], "no vendor v7", 1),
        (["--vendor", "v7"], "no vendor v7", 1),
    ],
)
def test_what_cannot_be_meant_is_refused_with_words(
    market: str, admin: Redis, capsys: pytest.CaptureFixture[str], words: list[str], said: str, code: int
) -> None:
    assert cli.main(["vendor-access", "--market", market, *words]) == code
    assert said in capsys.readouterr().err
    assert all(f"user {market}." not in each for each in admin.execute_command("ACL LIST"))


def test_a_server_that_does_not_answer_is_said_so(
    market: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vendor_access, "TIMEOUT_S", 0.1)
    words = ["--market", market, "--vendor", "v1", "--apply", "--url", f"unix://{tmp_path}/none.sock"]
    assert cli.main(["vendor-access", *words]) == 1
    assert "does not answer" in capsys.readouterr().err
    words.remove("--apply")
    assert cli.main(["vendor-access", *words]) == 0, "the line is for a server that may not run yet"
    told = capsys.readouterr()
    assert "nobody has looked" in told.err
    assert told.out.startswith("ACL SETUSER")


async def sealed_under(server: EmbeddedRedis, market: str, file: Path) -> None:
    """A process of the service has taken the file's key into use, and ended."""
    ring = RingFile(file)
    async with Store(server.url, ring.ring) as store:
        store.agreement.take_part("web", ring)
        await store.agreement.reach(market, part := store.market(market).rings)
        await store.agreement.leave(market, part)


@pytest.mark.parametrize(
    ("name", "said"),
    [("k1", "has another key by the name k1"), ("k2", "does not have the key k2")],
)
def test_no_reply_key_is_made_from_another_patient_key_than_the_services(
    market: str,
    admin: Redis,
    redis_server: EmbeddedRedis,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    name: str,
    said: str,
) -> None:
    file, words = tmp_path / "patient-keys.json", ["vendor-access", "--market", market, "--vendor", "v1"]
    ours, wrong = (PatientKeyFile(each, {each: bytes([at]) * 32}) for at, each in enumerate(("k1", name)))
    write_patient_keys(file, ours)
    asyncio.run(sealed_under(redis_server, market, file))
    write_patient_keys(file, wrong)
    capsys.readouterr()
    for more in ([], ["--apply"]):
        assert cli.main([*words, *more]) == 1
        told = capsys.readouterr()
        assert f"the service {said} in {market}" in told.err
        assert told.out == ""
    assert all(f"user {market}." not in each for each in admin.execute_command("ACL LIST"))
    write_patient_keys(file, ours)
    assert cli.main(words) == 0


def test_no_reply_key_is_made_from_a_patient_key_that_the_service_does_not_have(
    market: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (file := tmp_path / "patient-keys.json").unlink()
    assert cli.main(["vendor-access", "--market", market, "--vendor", "v1"]) == 1
    told = capsys.readouterr()
    assert "reply key" not in told.out
    assert f"there is no key file {file}" in told.err
    assert not file.exists()
