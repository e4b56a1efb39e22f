"""Every scenario by name, and one run over those that were asked for."""

from __future__ import annotations

import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

from chaos.cluster import cluster
from chaos.damage import damage
from chaos.disk_full import disk_full
from chaos.fail_over import fail_over
from chaos.freeze import freeze
from chaos.freeze_roles import freeze_roles
from chaos.kill_roles import kill_roles
from chaos.kill_service import kill_jobs, kill_matcher, kill_solver, kill_web
from chaos.kill_supervisor import kill_supervisor
from chaos.kill_workers import kill_workers
from chaos.night import night
from chaos.replies import kill_amid_replies
from chaos.store import kill_store, kill_store_amid_commands, memory_full
from chaos.trial import Report, Trial
from chaos.upgrade import upgrade


class Scenario(NamedTuple):
    """Its function; of how many rounds asked for it plays one, for some take long."""

    play: Callable[[Trial], Awaitable[None]]
    one_in: int = 1

    def rounds(self, asked: int) -> int:
        """How many are played; one at least."""
        return max(1, asked // self.one_in)


SCENARIOS = {
    "kill-store": Scenario(kill_store),
    "kill-store-amid-commands": Scenario(kill_store_amid_commands, 2),
    "kill-web": Scenario(kill_web),
    "kill-matcher": Scenario(kill_matcher),
    "kill-jobs": Scenario(kill_jobs),
    "kill-solver": Scenario(kill_solver),
    "kill-roles": Scenario(kill_roles),
    "kill-supervisor": Scenario(kill_supervisor),
    "kill-workers": Scenario(kill_workers),
    "freeze": Scenario(freeze, 4),
    "freeze-roles": Scenario(freeze_roles, 4),
    "kill-amid-replies": Scenario(kill_amid_replies, 2),
    "memory-full": Scenario(memory_full, 4),
    "disk-full": Scenario(disk_full, 10),
    "fail-over": Scenario(fail_over, 4),
    "cluster": Scenario(cluster, 4),
    "night": Scenario(night, 20),
    "damage": Scenario(damage, 20),
    "upgrade": Scenario(upgrade, 10),
}


def described() -> list[tuple[str, str]]:
    """Each scenario and what it does, in a line."""
    return [(name, (each.play.__doc__ or "").partition("\n")[0]) for name, each in SCENARIOS.items()]


async def play(
    name: str,
    folder: Path,
    rounds: int,
    seed: int,
    tell: Callable[[Report], None] = lambda report: None,
    *,
    wheel: Path | None = None,
) -> Report:
    """One scenario. What ends it before its rounds are over is a finding, too."""
    scenario = SCENARIOS[name]
    own = folder / name
    own.mkdir()
    trial = Trial(own, scenario.rounds(rounds), seed, name=name, tell=tell, wheel=wheel)
    try:
        await scenario.play(trial)
    except Exception as error:  # whatever it is: the next scenario is still to be played
        trial.find(f"ended in round {trial.report.rounds + 1}: {_outlined(error)}")
    return trial.report


def _outlined(error: BaseException) -> str:
    """The first that went wrong, and where."""
    where = _place(error)
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
        where = _place(error) or where
    return f"{type(error).__name__} {error} ({where})"


def _place(error: BaseException) -> str:
    """The file and line that raised it; "" if nobody did."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
