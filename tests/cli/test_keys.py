"""`dispatcher keys`: a rotation, step by step, by its own words; nothing is done that is not safe."""

from __future__ import annotations

import asyncio
import json
import stat
from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import count
from pathlib import Path

import pytest

from contracts.codes import RequestState
from dispatcher import cli
from dispatcher.cli import keys as keys_command
from dispatcher.domain.request_kind import REQUEST_KIND
from dispatcher.runtime.errors import UserError
from dispatcher.security.key_files import PatientKeyFile, RingFile, read_patient_keys, write_patient_keys
from dispatcher.serve.embedded import EmbeddedRedis
from dispatcher.store.keys import Keys
from dispatcher.store.store import Store
from dispatcher.store.survey import Survey
from tests.store.made import cancelled, forgotten, moved, received, record, trip

OLD = PatientKeyFile("k1", {"k1": bytes([1]) * 32})
_numbers = count()
Run = Callable[..., Awaitable[tuple[int, str]]]


class Processes:
    """Two running processes, which read one key file."""

    def __init__(self, server: EmbeddedRedis, market: str, path: Path) -> None:
        self.market, self.path = market, path
        self.stores = {name: self._start(server, name) for name in ("web here:1#aa", "matcher here:2#bb")}

    def _start(self, server: EmbeddedRedis, name: str) -> Store:
        file = RingFile(self.path)
        store = Store(server.url, file.ring)
        store.agreement.take_part(name, file)
        return store

    async def look(self, *names: str) -> None:
        """As they do every few seconds."""
        for name in names or self.stores:
            for _ in range(2):
                await self.stores[name].agreement.reach(
                    self.market, self.stores[name].market(self.market).rings
                )

    async def end(self) -> None:
        for each in self.stores.values():
            await each.agreement.leave(self.market, each.market(self.market).rings)
            await each.aclose()


@pytest.fixture
def market(monkeypatch: pytest.MonkeyPatch, redis_server: EmbeddedRedis, tmp_path: Path) -> str:
    name = f"keys{next(_numbers)}"
    monkeypatch.setenv("DISPATCHER_MARKETS", f"{name}=America/New_York")
    monkeypatch.setenv("DISPATCHER_REDIS_URL", redis_server.url)
    monkeypatch.setenv("DISPATCHER_DATA_DIR", str(tmp_path))
    return name


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write_patient_keys(tmp_path / "patient-keys.json", OLD)
    return tmp_path / "patient-keys.json"


@pytest.fixture
async def processes(market: str, redis_server: EmbeddedRedis, path: Path) -> AsyncIterator[Processes]:
    made = Processes(redis_server, market, path)
    await made.look()
    yield made
    await made.end()


@pytest.fixture
def keys(capsys: pytest.CaptureFixture[str]) -> Run:
    async def run(*words: str) -> tuple[int, str]:
        code = await asyncio.to_thread(cli.main, ["keys", *words])
        said = capsys.readouterr()
        return code, said.out + said.err

    return run


async def test_a_rotation_from_its_first_to_its_last_step(
    processes: Processes, keys: Run, path: Path
) -> None:
    web = processes.stores["web here:1#aa"].market(processes.market)
    await web.commit([received("a")], requests=[trip("a")])
    assert (await keys("check"))[0] == 0

    code, told = await keys("rotate")
    assert (code, told.partition(":")[0]) == (0, "round 1")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    after = read_patient_keys(path)
    new = after.next
    assert (after.current, set(after.keys)) == ("k1", {"k1", new})
    await processes.look("web here:1#aa")
    code, told = await keys("rotate")
    assert code == 1
    assert f"round 1: 1 of 2 processes can read {new}; wait for matcher here:2#bb" in told
    assert read_patient_keys(path) == after, "nothing was changed"

    await processes.look()
    assert f"round 1: 2 of 2 processes can read {new}: done, make it current" in (await keys("status"))[1]
    code, told = await keys("rotate")
    assert (code, told.partition(":")[0]) == (0, "round 2")
    assert read_patient_keys(path).current == new
    assert f"round 2: 0 of 2 processes seal under {new}" in (await keys("status"))[1]
    await processes.look()
    needed = "k1 seals 1 open requests, 0 that have ended and 0 comments and messages still"
    code, told = await keys("rotate")
    assert code == 1
    assert needed in told
    code, told = await keys("rotate", "--remove", "k1")
    assert (code, "is needed: 1 blocks" in told) == (1, True)

    await web.commit([cancelled(record("a"))])
    await web.commit([forgotten(moved(record("a"), RequestState.CANCELLED))])
    assert "k1 seals nothing any more" in (await keys("status"))[1]
    assert (await keys("rotate", "--remove", "k1"))[0] == 0
    assert set(read_patient_keys(path).keys) == {new}
    await processes.look()
    for each in processes.stores.values():
        assert (await each.health()).reasons == ()
    assert (await keys("check"))[0] == 0
    assert "no rotation is under way" in (await keys("status"))[1]


async def test_a_missing_key_is_named_by_check_audit_and_ready_until_it_is_given_up(
    processes: Processes, keys: Run, path: Path, market: str, capsys: pytest.CaptureFixture[str]
) -> None:
    web = processes.stores["web here:1#aa"]
    await web.market(market).commit([received("a")], requests=[trip("a")])
    write_patient_keys(path, PatientKeyFile("k2", {"k2": bytes(32)}))
    await processes.look()
    code, told = await keys("check")
    assert code == 1
    assert "wrong: k1 is in use (it seals 1 blocks), and is not in the key file" in told
    assert await asyncio.to_thread(cli.main, ["audit", "--settle", "0"]) == 1
    assert "keys: patient key k1 seals 1 blocks, and matcher here:2#bb lacks it" in capsys.readouterr().out
    assert "'k1'" in (await web.health()).reasons[0]
    assert (await keys("rotate", "--forget", "k2"))[0] == 1
    assert (await keys("rotate", "--forget", "k1"))[0] == 0
    await processes.look()
    assert (await web.health()).reasons == ()


async def test_a_lost_key_whose_name_another_has_is_given_up_and_that_other_stays(
    processes: Processes, keys: Run, path: Path, market: str
) -> None:
    web = processes.stores["web here:1#aa"]
    await web.market(market).commit([received("a")], requests=[trip("a")])
    write_patient_keys(path, PatientKeyFile("k1", {"k1": bytes(32)}))
    await processes.look()
    assert "another has its name there" in (await web.health()).reasons[0]
    assert (await keys("rotate", "--forget", "k1"))[0] == 0
    await processes.look()
    assert (await web.health()).reasons == ()
    assert (await keys("rotate", "--forget", "k1"))[0] == 1


async def test_where_no_process_runs_the_audit_judges_by_the_key_file(
    market: str, redis_server: EmbeddedRedis, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with Store(redis_server.url, PatientKeyFile("k0", {"k0": bytes(32)})) as store:
        await store.market(market).commit([received("a")], requests=[trip("a")])
        assert await store.reader.get(Keys(market).body(REQUEST_KIND, "a"))
    assert await asyncio.to_thread(cli.main, ["audit", "--settle", "0"]) == 1
    assert f"patient key k0 seals 1 blocks, and the key file {path} lacks it" in capsys.readouterr().out


async def test_the_standing_as_json_shows_no_key(processes: Processes, keys: Run) -> None:
    code, told = await keys("status", "--json")
    found = json.loads(told)
    assert (code, found["keys"][0]["id"], found["keys"][0]["role"]) == (0, "k1", "current")
    assert "AQEB" not in told, "the key in base64"
    assert bytes([1] * 4).hex() not in told


@pytest.mark.usefixtures("market", "path")
async def test_a_store_that_is_away_is_told(keys: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPATCHER_REDIS_URL", "redis://127.0.0.1:1")
    code, told = await keys("status", "--timeout", "0.1")
    assert (code, "the store does not answer" in told) == (1, True)


def test_no_step_is_taken_where_nobody_knows_which_process_has_which_key() -> None:
    found = [Survey(market="a"), Survey(market="b", strange={"rings": "is no hash"})]
    with pytest.raises(UserError, match=r"not known: dispatch:\{b\}:rings is no hash"):
        keys_command._refuse_unknown(found)
