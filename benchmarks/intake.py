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
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from contracts.codes import Role
from dispatcher.demo.measures import environment_mb
from dispatcher.runtime.arguments import MOST_REQUESTS, MOST_S, number, output, whole, writing
from dispatcher.runtime.errors import UserError
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
AIM = 0.25


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
        "--json", type=output, metavar="FILE", help="write figures as JSON; - is standard output"
    )


def run(args: argparse.Namespace) -> int:
    """Measure, print; 1 if any call was answered otherwise than 202."""
    figures = asyncio.run(_measure(args))
    text = json.dumps(figures, indent=2)
    if args.json and args.json != "-":
        with writing(Path(args.json)):
            Path(args.json).write_text(text + "\n", encoding="utf-8")
    print(text if args.json == "-" else _told(figures))
    return 0 if figures["unexpected"] == figures["lost"] == 0 else 1


async def _measure(args: argparse.Namespace) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="intake-") as folder:
        settings = settings_in(Path(folder))
        async with EmbeddedRedis(settings.data_dir / "valkey") as redis:
            token = platform_token(settings)
            environment = settings.environment() | {"DISPATCHER_REDIS_URL": redis.url}
            async with Store(redis.url, read_patient_keys(settings.patient_keys_file)) as store:
                empty_bytes = await store.memory_bytes()
                ours, idle_mb = _load(web_command, environment, token, args)
                stored = sum((await store.market(MARKET).requests.counts()).values())
                bytes_each = (await store.memory_bytes() - empty_bytes) / stored
        bare, _ = _load(_bare_command, {}, token, args)
    return _figures(ours, bare) | {
        "lost": ours["statuses"].get("202", 0) + args.warm_up - stored,
        "web_process_idle_mb": round(idle_mb, 1),
        "redis_bytes_per_open_request": round(bytes_each),
        "environment_mb": environment_mb(),
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
        "answered_202": ours["statuses"].get("202", 0),
        "unexpected": unexpected,
    }


def web_command(listener: int) -> Sequence[str]:
    """The web process, on an inherited socket."""
    return own_command("serve", "--role", "web", "--listener", str(listener))


def _bare_command(listener: int) -> Sequence[str]:
    return [sys.executable, "-m", "benchmarks.intake_bare", str(listener)]


def _load(
    command: Any, environment: dict[str, str], token: str, args: argparse.Namespace
) -> tuple[dict[str, Any], float]:
    """One server, warmed up, then measured; what the generator saw, and the server's idle memory in MB."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        words = command(listener.fileno())
        with running(words, os.environ | environment, listener.fileno()) as server:
            await_answer(port, server)
            idle_mb = _resident_mb(server.pid)
            _generate(port, token, connections=args.connections, seconds=60, limit=args.warm_up, first=1)
            seen = _generate(
                port,
                token,
                connections=args.connections,
                seconds=args.seconds,
                limit=args.limit,
                first=1 + args.warm_up,
            )
    return seen, idle_mb


@contextlib.contextmanager
def running(words: Sequence[str], environment: Any, listener: int) -> Iterator[subprocess.Popen[bytes]]:
    """The server, until it is no longer needed."""
    ours = own_environment() | environment
    server = subprocess.Popen(words, env=ours, pass_fds=(listener,), stderr=subprocess.DEVNULL)
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


def _generate(port: int, token: str, **options: float) -> dict[str, Any]:
    """What a load generator of its own process saw."""
    words = [sys.executable, "-m", "benchmarks.intake_load", "--port", str(port), "--path", PATH]
    words += [word for name, value in options.items() for word in (f"--{name}", str(value))]
    done = subprocess.run(words, input=token + "\n", capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout))


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
