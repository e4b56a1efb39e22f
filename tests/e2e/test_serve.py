"""`dispatcher serve`: starts whole, mends itself, ends whole."""

import asyncio
import contextlib
import os
import re
import signal
import subprocess
import sys

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from structlog.testing import capture_logs

from client.platform import PlatformClient
from contracts.codes import Role
from dispatcher.serve import supervisor
from dispatcher.serve.notice import Notice
from dispatcher.serve.processes import own_command, own_environment
from dispatcher.serve.supervisor import ServeError, announce_when_ready, children_name, listening
from dispatcher.settings import Settings
from tests.e2e.conftest import MARKET, alive, child, descendants, kill, service, token


def platform_of(running):
    return PlatformClient(running.url, token(running.settings, Role.PLATFORM), MARKET)


ROLES = ("web", "matcher", "jobs")  # a process each
ROADS = {"DISPATCHER_TRAVEL_URL": "osrm+http://127.0.0.1:1"}
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")


def test_who_serves_an_embedded_server_keeps_its_name_so_that_no_lease_outlives_a_kill():
    assert children_name(Settings()) == children_name(Settings(data_dir="elsewhere"))
    shared = Settings(redis_url="redis://one-for-many")
    assert str(os.getpid()) in children_name(shared)
    assert children_name(shared) != children_name(shared)  # in containers, host and process may be the same


@LINUX
async def test_a_crashed_process_comes_back_with_no_caller_refused_and_sigterm_ends_all_of_them(tmp_path):
    async with service(tmp_path) as running:
        killed = {role: await begun(running.process.pid, role) for role in ROLES}
        for each in killed.values():
            kill(each, signal.SIGKILL)
        async with aiohttp.ClientSession() as session, session.get(f"{running.url}/livez") as answer:
            assert answer.status == 200  # this call waited in the queue of the supervisor's socket
        for role, pid in killed.items():
            assert await begun(running.process.pid, role, but=pid) != pid
        await ended_in_order(running, signal.SIGTERM)
    assert {each.name for each in tmp_path.iterdir()} == {
        "patient-keys.json",
        "token-keys.json",
        "valkey",
        "service.log",
    }


@pytest.mark.parametrize(("more", "processes"), [({}, ROLES), (ROADS, ("web", "matcher"))])
def test_jobs_are_a_process_of_their_own_unless_they_need_what_the_matcher_knows_of_roads(more, processes):
    settings = Settings.read(more, port=0)
    with (
        listening(settings) as listener,
        contextlib.closing(Notice()) as one,
        contextlib.closing(Notice()) as other,
    ):
        children = {each.name: each for each in supervisor._children(settings, listener, one, other)}
    assert tuple(children) == processes
    assert ("--apart" in children["matcher"].command) is ("jobs" in children)
    told = [each.files for each in children.values() if "--pressing" in each.command]
    assert told == ([[other.descriptor]] * 2 if "jobs" in children else [])


async def begun(pid, role, but=None):
    """The child of this role, once it runs; another than `but`."""
    async with asyncio.timeout(60):
        while (found := child(pid, role)) in {None, but}:
            await asyncio.sleep(0.05)
    return found


async def ended_in_order(running, number):
    """The supervisor gets a signal: it and every process below it end, and it no longer says where it is."""
    pids = descendants(running.process.pid)
    kill(running.process.pid, number)
    assert await asyncio.wait_for(running.process.wait(), 20) == 0
    assert not alive(pids)
    assert not (running.settings.data_dir / "address").exists()


async def test_what_keeps_it_from_being_ready_is_told_once(tmp_path):
    statuses, answers = [503, 503, 200], asyncio.Event()

    async def readyz(request):
        return web.json_response({"reasons": ["appendfsync is everysec"]}, status=statuses.pop(0))

    app, told = web.Application(), []
    app.router.add_get("/readyz", readyz)
    async with TestServer(app) as server:
        with capture_logs() as lines:
            url = str(server.make_url(""))
            await announce_when_ready(Settings(data_dir=tmp_path), url, told.append, answers)
    assert len(told) == 1
    assert [(line["url"], line["reasons"]) for line in lines if line["event"] == "not_ready"] == [
        (url, ["appendfsync is everysec"])
    ]


async def test_the_supervisor_asks_its_child_whatever_proxy_is_set(tmp_path, monkeypatch):
    async def readyz(request):
        return web.json_response({})

    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "")
    app, told, answers = web.Application(), [], asyncio.Event()
    app.router.add_get("/readyz", readyz)
    async with TestServer(app) as server, asyncio.timeout(5):
        await announce_when_ready(Settings(data_dir=tmp_path), str(server.make_url("")), told.append, answers)
    assert len(told) == 1


def test_a_port_in_use_is_named_with_what_may_fix_it():
    with listening(Settings(port=0)) as taken, pytest.raises(ServeError, match=r"Maybe another.*--port"):
        listening(Settings(port=taken.getsockname()[1]))


def test_an_address_that_is_none_of_this_machine_is_told_so():
    with pytest.raises(ServeError, match="Maybe --host"):
        listening(Settings(host="999.1.1.1", port=0))


@pytest.mark.parametrize(
    ("host", "reached"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("0.0.0.0", "127.0.0.1"),
        ("::1", "[::1]"),
        ("::", "[::1]"),
        ("fd00::2", "[fd00::2]"),
    ],
)
def test_an_address_of_version_6_stands_in_brackets_in_the_url(host, reached):
    with listening(Settings(port=0)) as listener:
        url, port = supervisor.address(Settings(host=host), listener), listener.getsockname()[1]
    assert url == f"http://{reached}:{port}"


def test_a_wrong_option_ends_with_a_message_and_no_traceback(tmp_path):
    ended = subprocess.run(
        own_command("serve", "--port", "99999", "--data-dir", str(tmp_path)),
        capture_output=True,
        text=True,
        env=own_environment(),
        timeout=60,
        check=False,
    )
    assert ended.returncode == 1
    assert re.match(r"dispatcher: --port is '99999'", ended.stderr)
    assert "Traceback" not in ended.stderr
