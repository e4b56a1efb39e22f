"""A whole service in its own processes, and what one needs to talk to it."""

import contextlib
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from contracts.codes import Role
from dispatcher.demo.service import Service, running
from dispatcher.runtime.clock import SystemClock
from dispatcher.security.key_files import read_patient_keys, read_token_keys
from dispatcher.security.reply_keys import ReplyKeys
from dispatcher.security.tokens import claims, mint
from dispatcher.security.vault import Vault
from dispatcher.serve.embedded import EmbeddedRedis
from dispatcher.settings import Markets, Settings

MARKET = "metro"


@contextlib.asynccontextmanager
async def service(folder: Path, **more: Any) -> AsyncIterator[Service]:
    """`dispatcher serve` on a free port and a Valkey of its own; `more` settings."""
    markets = Markets.parse(f"{MARKET}=America/New_York")
    settings = Settings(data_dir=folder, port=0, markets=markets, **more)
    async with running(settings, folder / "service.log") as started:
        yield started


def token(settings: Settings, role: Role, vendor_id: str = "", now_ms: int | None = None) -> str:
    """As `dispatcher token` mints it."""
    now_ms = SystemClock().now_ms() if now_ms is None else now_ms
    made = claims(role, markets=list(settings.markets), vendor_id=vendor_id, now_ms=now_ms, hours=999)
    return mint(read_token_keys(settings.token_keys_file), made)


def reply_key(settings: Settings, vendor_id: str) -> str:
    """As `dispatcher vendor-access` prints it."""
    keys = ReplyKeys(Vault(read_patient_keys(settings.patient_keys_file)))
    return keys.current(MARKET, vendor_id)


def redis_url(settings: Settings) -> str:
    """The embedded server's address."""
    return EmbeddedRedis(settings.data_dir).url


def descendants(pid: int) -> set[int]:
    """All processes below `pid`, however deep."""
    children = {int(each) for each in _read(f"/proc/{pid}/task/{pid}/children").split()}
    return children.union(*(descendants(child) for child in children))


def child(pid: int, role: str) -> int | None:
    """The child of the supervisor `pid` that has this role, if it runs."""
    found = [each for each in descendants(pid) if role in _read(f"/proc/{each}/cmdline").split("\0")]
    return min(found, default=None)


def alive(pids: set[int], within_s: float = 20.0) -> set[int]:
    """Those that still run after at most `within_s`; the dead that nobody has waited for do not count."""
    deadline = time.monotonic() + within_s
    while True:
        left = {
            each for each in pids if _read(f"/proc/{each}/stat").rpartition(")")[2].split()[:1] not in _DEAD
        }
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(0.05)


_DEAD = ([], ["Z"], ["X"])


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:  # noqa: PTH123 - gone at any moment
            return file.read()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def kill(pid: int, number: int) -> None:
    """Send a signal to one process that we started."""
    os.kill(pid, number)
