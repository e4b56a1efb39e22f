"""The store is killed, full, or lost to a replica amid the work of everybody: what was promised holds."""

from __future__ import annotations

import pytest

from chaos.cluster import cluster
from chaos.fail_over import fail_over
from chaos.store import kill_store, kill_store_amid_commands, memory_full
from chaos.trial import Trial
from tests import examples


async def test_a_killed_server_loses_nothing_acknowledged_and_repeats_nothing(trial: Trial) -> None:
    await kill_store(trial)
    assert trial.findings == []
    assert trial.report.acknowledged > trial.rounds


async def test_a_server_killed_amid_all_commands_keeps_every_promise(trial: Trial) -> None:
    await kill_store_amid_commands(trial)
    assert trial.findings == []
    assert len(trial.states) >= 3, "the rounds led to little"


async def test_a_server_whose_memory_is_full_amid_all_commands_keeps_every_promise(
    short_trial: Trial,
) -> None:
    await memory_full(short_trial)
    assert short_trial.findings == []


async def test_a_fail_over_that_loses_the_last_writes_reuses_no_fence_and_leaves_nothing_half_done(
    short_trial: Trial,
) -> None:
    await fail_over(short_trial)
    assert short_trial.findings == []
    assert short_trial.report.strikes == 1


async def test_a_cluster_that_is_resharded_and_loses_a_primary_amid_all_commands_loses_nothing_told_of(
    short_trial: Trial,
) -> None:
    if examples.rounds <= examples.USUAL:
        pytest.skip(
            "six servers: each part is in tests/store/test_cluster.py; together where rounds are wanted"
        )
    await cluster(short_trial)
    report = short_trial.report
    assert report.findings == []
    assert (report.kills, report.counts) == ({"primary": 1}, {"moved_key_by_key": 1, "moved_at_once": 1})
