"""The supervisor is killed or told to end amid intake: all end with it, and nothing is lost."""

from __future__ import annotations

from chaos.intake import Intake
from chaos.parts import until_ready, whole
from chaos.trial import Trial
from dispatcher.settings import Markets, Settings
from tests.e2e.conftest import MARKET


async def kill_supervisor(trial: Trial) -> None:
    """The supervisor is killed, every other round told to end; all end with it, nothing is lost."""
    settings = Settings(data_dir=trial.folder, port=0, markets=Markets.parse(f"{MARKET}=UTC"))
    async with whole(settings) as parts:
        await parts.start("supervisor")
        await until_ready(parts.url)
        async with Intake(trial, parts) as intake:
            for number in range(trial.rounds):
                async with intake.going():
                    await intake.more(intake.chance.randint(1, 60))
                    with trial.strike():
                        await parts.kill("supervisor", in_order=bool(number % 2))
                        await parts.start("supervisor")
                        await until_ready(parts.url)
                        await intake.more(1)
                trial.over()
