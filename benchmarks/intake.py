"""Durable 202s a second, beside bare aiohttp with the same validation under the same load in the same run."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.figures import add_json, tell
from contracts.codes import Role
from dispatcher.demo.measures import environment_mb
from dispatcher.runtime.arguments import MOST_REQUESTS, MOST_S, number, whole
from dispatcher.runtime.errors import UserError
from dispatcher.runtime.parent_death import die_with_parent
from dispatcher.security.key_files import (
    ensure_patient_keys,
    ensure_token_keys,
    read_patient_keys,
    read_token_keys,
)
from dispatcher.security.tokens import claims, mint
from dispatcher.serve.embedded import EmbeddedRedis
from dispatcher.serve.processes import own_command, own_environment
from dispatcher.settings import Settings
from dispatcher.store.store import Store

MARKET = "metro"
PATH = f"/v1/markets/{MARKET}/requests"
START_S = 60.0
AIM = 0.4
LISTENED_AIM = 2.0  # how much longer an answer may take while there are listeners
STREAMS_OF_ONE = 90  # caller: it may follow a hundred
FAULTS = ("unexpected", "lost", "unheard", "heard_twice", "out_of_order")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How long, how many at once, and where the figures go."""
    parser.add_argument(
        "--seconds",
        type=number(0, MOST_S, above=True),
        default=10.0,
        help="for each of the two (default: 10)",
    )
    parser.add_argument(
        "--connections", type=whole(1, 10_000), default=64, help="requests at once (default: 64)"
    )
    parser.add_argument(
        "--limit", type=whole(1, 10 * MOST_REQUESTS), default=400_000, help="most requests sent to each"
    )
    parser.add_argument(
        "--warm-up", type=whole(0, MOST_REQUESTS), default=2_000, help="sent before measuring (default: 2000)"
    )
    parser.add_argument(
        "--listeners",
        type=whole(0, 1_900),
        default=0,
        help="event streams that are followed while as much is sent once more (default: 0)",
    )
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Measure, print; 1 if any call was answered otherwise than 202, or an event was not heard as it was."""
    figures = asyncio.run(_measure(args))
    tell(figures, args.json, _told)
    return 1 if any(figures.get(each) for each in FAULTS) else 0


async def _measure(args: argparse.Namespace) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="intake-") as folder:
        settings = settings_in(Path(folder))
        async with EmbeddedRedis(settings.data_dir / "valkey") as redis:
            environment = settings.environment() | {"DISPATCHER_REDIS_URL": redis.url}
            async with Store(redis.url, read_patient_keys(settings.patient_keys_file)) as store:
                empty_bytes = await store.memory_bytes()
                with _server(web_command, environment) as server:
                    load = Load(server, platform_token(settings), args, store_pid=redis.pid)
                    ours = load.measured()
                    listened = _listened(load, settings, args) if args.listeners else {}
                stored = sum((await store.market(MARKET).requests.counts()).values())
                bytes_each = (await store.memory_bytes() - empty_bytes) / stored
        with _server(_bare_command, {}) as server:
            bare = Load(server, "none", args).measured()
    return (
        _figures(ours, bare)
        | (_beside(ours, listened) if listened else {})
        | {
            "lost": load.answered - stored,
            "web_process_idle_mb": round(load.idle_mb, 1),
            "redis_bytes_per_open_request": round(bytes_each),
            "environment_mb": environment_mb(),
        }
    )


def _listened(load: Load, settings: Settings, args: argparse.Namespace) -> dict[str, Any]:
    """The same once more while event streams are followed; and until all of them have heard all of it."""
    callers = range(1 + args.listeners // STREAMS_OF_ONE)
    tokens = [platform_token(settings, f"listener-{each}") for each in callers]
    words = [sys.executable, "-m", "benchmarks.intake_listeners", "--port", str(load.server.port)]
    words += ["--path", f"/v1/markets/{MARKET}/events", "--listeners", str(args.listeners)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin and process.stdout  # noqa: S101  (both are pipes)
        process.stdin.write("\n".join((*tokens, "---\n")))
        process.stdin.flush()
        if process.stdout.readline() != "open\n":
            raise UserError("not every event stream could be opened.", "Maybe raise the limit of open files.")
        before, seen = load.answered, load.measured(warm_up=False)
        heard = json.loads(process.communicate(f"{load.answered - before}\n")[0])
    return seen | {"heard": heard}


def _beside(ours: dict[str, Any], listened: dict[str, Any]) -> dict[str, Any]:
    heard = listened["heard"]
    return {
        "listened_per_s": round(listened["statuses"].get("202", 0) / listened["seconds"]),
        "listened_p50_ms": round(listened["p50_ms"], 2),
        "listened_p99_ms": round(listened["p99_ms"], 2),
        "listened_p50_ratio": round(listened["p50_ms"] / ours["p50_ms"], 2),
        "listened_p50_ratio_aim": LISTENED_AIM,
        "listened_web_cpu_us_per_202": round(listened["cpu_us"], 1),
        "all_heard_after_s": round(heard["seconds"], 2),
        "unheard": heard["unheard"],
        "heard_twice": heard["twice"],
        "out_of_order": heard["odd"],
    }


def _told(figures: dict[str, Any]) -> str:
    return "\n".join(f"{name:<30} {value}" for name, value in figures.items())


def _figures(ours: dict[str, Any], bare: dict[str, Any]) -> dict[str, Any]:
    ours_per_s, bare_per_s = (each["statuses"].get("202", 0) / each["seconds"] for each in (ours, bare))
    unexpected = sum(
        count for each in (ours, bare) for status, count in each["statuses"].items() if status != "202"
    )
    return {
        "ours_per_s": round(ours_per_s),
        "bare_per_s": round(bare_per_s),
        "ratio": round(ours_per_s / bare_per_s, 3),
        "ratio_aim": AIM,
        "p50_ms": round(ours["p50_ms"], 2),
        "p99_ms": round(ours["p99_ms"], 2),
        "bare_p50_ms": round(bare["p50_ms"], 2),
        "bare_p99_ms": round(bare["p99_ms"], 2),
        "web_cpu_us_per_202": round(ours["cpu_us"], 1),
        "store_cpu_us_per_202": round(ours["store_cpu_us"], 1),
        "bare_cpu_us_per_202": round(bare["cpu_us"], 1),
        "answered_202": ours["statuses"].get("202", 0),
        "unexpected": unexpected,
    }


def web_command(listener: int) -> Sequence[str]:
    """The web process, on an inherited socket."""
    return own_command("serve", "--role", "web", "--listener", str(listener))


def _bare_command(listener: int) -> Sequence[str]:
    return [sys.executable, "-m", "benchmarks.intake_bare", str(listener)]


class Server(NamedTuple):
    """A process that answers on a port of this machine."""

    pid: int
    port: int


@contextlib.contextmanager
def _server(command: Callable[[int], Sequence[str]], environment: Mapping[str, str]) -> Iterator[Server]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with running(command(listener.fileno()), os.environ | environment, listener.fileno()) as process:
            await_answer(port, process)
            yield Server(process.pid, port)


class Load:
    """What is sent to one server, and what became of it."""

    def __init__(
        self, server: Server, token: str, args: argparse.Namespace, *, store_pid: int | None = None
    ) -> None:
        self.server, self.token, self.args = server, token, args
        self.pids = {"cpu_us": server.pid} | ({"store_cpu_us": store_pid} if store_pid else {})
        self.idle_mb = _resident_mb(server.pid)
        self.sent = self.answered = 0

    def measured(self, *, warm_up: bool = True) -> dict[str, Any]:
        """What the generator saw, after a warm-up; and the processor time of each process for each 202."""
        if warm_up and self.args.warm_up:
            self._generate(seconds=60, limit=self.args.warm_up)
        used_s = {name: cpu_s(pid) for name, pid in self.pids.items()}
        seen = self._generate(seconds=self.args.seconds, limit=self.args.limit)
        each = 1e6 / max(1, seen["statuses"].get("202", 0))
        return seen | {name: each * (cpu_s(pid) - used_s[name]) for name, pid in self.pids.items()}

    def _generate(self, *, seconds: float, limit: int) -> dict[str, Any]:
        """What a load generator of its own process saw."""
        options = {"port": self.server.port, "path": PATH, "connections": self.args.connections}
        options |= {"seconds": seconds, "limit": limit, "first": 1 + self.sent}
        words = [sys.executable, "-m", "benchmarks.intake_load"]
        words += [word for name, value in options.items() for word in (f"--{name}", str(value))]
        done = subprocess.run(words, input=self.token + "\n", capture_output=True, text=True, check=True)
        seen: dict[str, Any] = json.loads(done.stdout)
        self.sent += sum(seen["statuses"].values())
        self.answered += seen["statuses"].get("202", 0)
        return seen


@contextlib.contextmanager
def running(words: Sequence[str], environment: Any, listener: int) -> Iterator[subprocess.Popen[bytes]]:
    """The server, until it is no longer needed."""
    ours = own_environment() | environment
    server = subprocess.Popen(
        words,
        env=ours,
        pass_fds=(listener,),
        stderr=subprocess.DEVNULL,
        preexec_fn=die_with_parent(),  # noqa: PLW1509  (one system call, looked up before the fork)
    )
    try:
        yield server
    finally:
        server.terminate()
        server.wait(timeout=START_S)


def await_answer(port: int, server: subprocess.Popen[bytes]) -> None:
    """Until any answer comes, be it a 404."""
    deadline = time.monotonic() + START_S
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # whatever HTTP_PROXY says
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise UserError(f"the server ended with status {server.returncode}.", "Maybe run it by hand.")
        try:
            with direct.open(f"http://127.0.0.1:{port}/livez", timeout=1):
                return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.05)
    raise UserError(f"the server gave no answer within {START_S:g} s.", "Maybe the machine is busy.")


def settings_in(folder: Path, **others: Any) -> Settings:
    """Settings and keys of a service that lives here."""
    settings = Settings(data_dir=folder, log_level="warning", **others)
    ensure_token_keys(settings.token_keys_file)
    ensure_patient_keys(settings.patient_keys_file)
    return settings


def platform_token(settings: Settings, subject: str = "") -> str:
    """A platform's token for an hour."""
    now_ms = time.time_ns() // 1_000_000
    made = claims(Role.PLATFORM, markets=[MARKET], vendor_id="", now_ms=now_ms, hours=1, subject=subject)
    return mint(read_token_keys(settings.token_keys_file), made)


def cpu_s(pid: int) -> float:
    """What a process has used (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _resident_mb(pid: int) -> float:
    """Resident memory of a process (Linux)."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024
