"""Roles of the service as processes of their own."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from dispatcher.runtime.parent_death import die_with_parent
from dispatcher.serve.embedded import EmbeddedRedis
from dispatcher.serve.notice import Notice
from dispatcher.serve.processes import own_command, own_environment

HERE = Path(__file__).resolve().parents[1]
JOBS_APART = "dispatcher/app/pressing.py"  # in a checkout that can run the jobs beside the matcher

Process = subprocess.Popen[bytes]


class Planning(NamedTuple):
    """The matcher, and the jobs beside it; None: the matcher does them, in a checkout of before."""

    matcher: Process
    jobs: Process | None


@contextlib.contextmanager
def matcher(environment: Mapping[str, str], log: Path = Path(os.devnull)) -> Iterator[Process]:
    """The matcher with the jobs, until it is no longer needed; what it logs is added to `log`."""
    with _running(("matcher",), environment, log) as process:
        yield process


@contextlib.contextmanager
def planning(
    environment: Mapping[str, str], log: Path = Path(os.devnull), tree: Path | None = None
) -> Iterator[Planning]:
    """Matcher and jobs as `serve` runs them, from our checkout or another (`tree`)."""
    if not ((tree or HERE) / JOBS_APART).is_file():
        with matcher(environment, log) as process:
            yield Planning(process, None)
        return
    with contextlib.closing(Notice()) as pressing:
        told = ("--pressing", str(pressing.descriptor))
        files = (pressing.descriptor,)
        with (
            _running(("matcher", "--apart", *told), environment, log, files) as process,
            _running(("jobs", *told), environment, log, files) as jobs,
        ):
            yield Planning(process, jobs)


def pid_of(redis: EmbeddedRedis) -> int:
    """Of the store that is measured. Raises RuntimeError: it has ended."""
    if redis.pid is None:
        raise RuntimeError(f"the store in {redis.folder} has ended\nMaybe its log there says why.")
    return redis.pid


def below_s(pid: int) -> float:
    """Processor seconds of all that a process began, and of what they began (Linux): its solvers."""
    used, parents, known = dict[int, float](), dict[int, int](), {pid}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            fields, child = _stat(stat.parent), int(stat.parent.name)
            parents[child], used[child] = int(fields[1]), sum(map(int, fields[11:15]))
    while more := {each for each, parent in parents.items() if parent in known} - known:
        known |= more
    ended = sum(map(int, _stat(Path(f"/proc/{pid}"))[13:15]))
    return (ended + sum(used[each] for each in known - {pid})) / os.sysconf("SC_CLK_TCK")


def _stat(process: Path) -> list[str]:
    """From its state on; a name may hold what it likes."""
    return (process / "stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()


@contextlib.contextmanager
def _running(
    role: Sequence[str], environment: Mapping[str, str], log: Path, files: Sequence[int] = ()
) -> Iterator[Process]:
    with log.open("ab") as errors:
        process = subprocess.Popen(
            own_command("serve", "--role", *role),
            env=own_environment() | dict(environment),
            stderr=errors,
            preexec_fn=die_with_parent(),  # noqa: PLW1509  (one system call, looked up before the fork)
            pass_fds=files,
        )
        try:
            yield process
        finally:
            process.terminate()
            process.wait(timeout=30)
