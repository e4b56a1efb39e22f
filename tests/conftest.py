"""What every test may use: a real durable server for each worker, and the real data where it is at hand."""

import asyncio
import gc
import os
import shutil
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import settings

from dispatcher.serve.embedded import EmbeddedRedis
from tests import examples, roads
from tests.browser import program

FIRST = (
    "chaos",
    "e2e",
    "benchmarks",
    "console",
)  # folders of tests that take seconds each, or share a browser
settings.register_profile("untimed", deadline=None)  # on a busy machine an example takes what it takes
settings.load_profile("untimed")
MEMORY, IN_MEMORY, ROOM_BYTES = Path("/dev/shm"), "dispatcher-tests-", 2 << 30
SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--rounds N`: how often a kill test kills, and how many examples properties are tried with."""
    about = f"rounds of each kill test, and examples (default {examples.USUAL})"
    parser.addoption("--rounds", type=int, default=examples.USUAL, help=about)


def pytest_configure(config: pytest.Config) -> None:
    """A logged failure is shown plainly: with every variable of every frame one took half a second."""
    examples.rounds = config.getoption("rounds")
    *others, shape = structlog.get_config()["processors"]
    assert isinstance(shape, structlog.dev.ConsoleRenderer)
    shape = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[*others, shape])


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is collected stays to the end: Python's collector of garbage need not walk it again and again."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest goes first: what is short then fills what is left of both workers' time.

    A worker without work takes the other's last tests: so one starts the browser, and not both.
    """
    items.sort(key=lambda item: item.path.parent.name not in FIRST)


@pytest.fixture(scope="session")
def quick_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """In memory where there is room, else on the disk. What killed runs have left there goes."""
    for each in MEMORY.glob(f"{IN_MEMORY}*"):
        if not Path("/proc", each.name.removeprefix(IN_MEMORY)).exists():
            shutil.rmtree(each, ignore_errors=True)
    if not MEMORY.is_dir() or shutil.disk_usage(MEMORY).free < ROOM_BYTES:
        yield tmp_path_factory.mktemp("redis")
        return
    folder = MEMORY / f"{IN_MEMORY}{os.getpid()}"
    folder.mkdir(mode=0o700)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def redis_server(quick_folder: Path) -> Iterator[EmbeddedRedis]:
    """One durable server for a worker's whole run: use a market of your own, kill a server of your own.

    It syncs after each commit as any does; but no test waits for the disk that all of them share, which takes
    20 ms a commit where much else is written. Who kills a server has it on the disk.
    """
    server = EmbeddedRedis(quick_folder)
    asyncio.run(server.start())
    yield server
    asyncio.run(server.stop())


@pytest.fixture(scope="session")
def osrm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[roads.Server]:
    """OSRM that takes ten coordinates a table; who kills it starts it again."""
    server = roads.osrm(tmp_path_factory.mktemp("osrm"), "--max-table-size", "10")
    server.start()
    yield server
    server.kill()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data beside the checkout; a test that asks for it is skipped where there is none."""
    if not SHARED_DATA.is_dir():
        pytest.skip(
            f"no real data here: {SHARED_DATA.parent.name}/{SHARED_DATA.name} is not beside the checkout"
        )
    return SHARED_DATA


@pytest.fixture(scope="session")
def browser_program() -> str:
    """Chromium, for `executable_path`; where there is none the test is skipped, in CI it fails."""
    return program()
