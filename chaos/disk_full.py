"""The disk is full amid intake: callers are told, `/readyz` says why, with room it comes back by itself."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from chaos.disks import Disk, small_disk
from chaos.intake import UNAVAILABLE, Intake
from chaos.parts import until_ready, whole
from chaos.trial import Trial
from dispatcher.settings import Markets, Settings
from tests.e2e.conftest import MARKET

WORDS = ("disk is full", "No space left", "append-only", "it ended with status")  # of a reason that helps


async def disk_full(
    trial: Trial, disk_of: Callable[[Path], AbstractContextManager[Disk]] = small_disk
) -> None:
    """No room, until submissions are refused and `/readyz` says why; then room, and nothing is lost."""
    with disk_of(trial.folder) as disk:
        settings = Settings(data_dir=disk.folder, port=0, markets=Markets.parse(f"{MARKET}=UTC"))
        async with whole(settings, trial.folder / "log") as parts:
            await parts.start("supervisor")
            await until_ready(parts.url)
            supervisor = parts.running["supervisor"]
            async with Intake(trial, parts) as intake:
                for _ in range(trial.rounds):
                    async with intake.going():
                        disk.fill(supervisor.pid)
                        await until_ready(parts.url, UNAVAILABLE, WORDS)
                        await intake.until_refused()
                        disk.free(supervisor.pid)
                        with trial.strike():
                            await until_ready(parts.url)
                            await intake.more(1)
                    if supervisor.returncode is not None:
                        raise RuntimeError(f"the supervisor has ended with {supervisor.returncode}")
                    trial.over()
