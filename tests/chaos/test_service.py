"""The service's processes are killed, its disk is full, one of everything stored is damaged: it goes on."""

from __future__ import annotations

import sys

import pytest

from chaos.damage import damage
from chaos.disk_full import disk_full
from chaos.disks import limited
from chaos.freeze import freeze
from chaos.freeze_roles import freeze_roles
from chaos.kill_roles import kill_roles
from chaos.kill_service import EVERY_PART, kill_in_turn
from chaos.kill_supervisor import kill_supervisor
from chaos.kill_workers import kill_workers
from chaos.night import Size, compared
from chaos.replies import kill_amid_replies
from chaos.trial import Trial
from tests.examples import USUAL

LONG = 20
pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc, and inherits a socket by number"),
    pytest.mark.timeout(1200),
]


async def test_a_killed_service_loses_nothing_and_books_nothing_twice(trial: Trial) -> None:
    await kill_in_turn(trial, EVERY_PART)
    assert trial.findings == []
    assert trial.report.strikes == trial.rounds


async def test_a_supervisor_that_is_killed_takes_every_process_with_it_and_nothing_is_lost(
    short_trial: Trial,
) -> None:
    await kill_supervisor(short_trial)
    assert short_trial.findings == []


async def test_killed_workers_brokers_and_matchers_lose_no_batch_and_make_none_twice(trial: Trial) -> None:
    if trial.rounds <= USUAL:
        pytest.skip("five processes: only where many rounds are wanted")
    await kill_workers(trial)
    report = trial.report
    assert report.findings == []
    assert min(report.kills[each] for each in ("worker", "broker", "matcher")) >= trial.rounds
    assert report.counts["offered_once"] == report.acknowledged > 0


async def test_who_stood_still_and_wakes_makes_nothing_twice_and_a_wrong_clock_keeps_no_market(
    short_trial: Trial, pytestconfig: pytest.Config
) -> None:
    if pytestconfig.getoption("rounds") <= USUAL:
        pytest.skip("nine processes: only where many rounds are wanted")
    await freeze(short_trial)
    report = short_trial.report
    assert report.findings == []
    assert report.counts["offered_once"] == report.acknowledged > 0


async def test_web_replies_and_jobs_that_stood_still_and_wake_do_nothing_twice(
    trial: Trial, pytestconfig: pytest.Config
) -> None:
    if pytestconfig.getoption("rounds") < LONG:
        pytest.skip(f"a round is half a minute: played from --rounds {LONG} on, and by `./run chaos`")
    trial.rounds = 4  # each once
    await freeze_roles(trial)
    assert trial.findings == []
    frozen = ("replies", "jobs", "web", "webhooks")
    assert trial.report.counts == {f"frozen_with_{each}": 1 for each in frozen}


async def test_roles_apart_that_are_killed_in_any_order_lose_nothing_and_another_matcher_takes_over(
    trial: Trial,
) -> None:
    if trial.rounds <= USUAL:
        pytest.skip("five processes: only where many rounds are wanted")
    await kill_roles(trial)
    assert trial.findings == []
    assert trial.report.longest_take_over_s > 0


async def test_a_night_on_a_cluster_costs_the_same_though_a_worker_and_a_primary_die_amid_it(
    trial: Trial,
) -> None:
    if trial.rounds <= USUAL:
        pytest.skip("six servers, a broker and four processes, twice: only where many rounds are wanted")
    await compared(trial, Size(requests=200, vendors=24, work=20_000))
    assert trial.findings == []
    assert trial.report.kills == {"worker": 1, "primary": 1}


async def test_what_a_vendor_replied_over_redis_is_there_whatever_is_killed(
    trial: Trial, pytestconfig: pytest.Config
) -> None:
    if pytestconfig.getoption("rounds") < LONG:
        pytest.skip(f"takes long: played from --rounds {LONG} on, and by `./run chaos`")
    await kill_amid_replies(trial)
    assert trial.findings == []
    assert trial.report.strikes == trial.rounds


async def test_on_a_full_disk_callers_are_told_and_with_room_it_comes_back_by_itself(
    short_trial: Trial,
) -> None:
    await disk_full(short_trial, limited)
    assert short_trial.findings == []
    assert short_trial.report.acknowledged > 0


async def test_one_of_everything_damaged_stops_nothing_else(short_trial: Trial) -> None:
    await damage(short_trial)
    assert short_trial.findings == []
