"""`dispatcher replay`: from a folder of records alone, by digest or a whole day."""

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from contracts.tuning import Number
from dispatcher.blobs.folder import Folder
from dispatcher.cli import main
from dispatcher.decisions.packer import Packer
from dispatcher.decisions.record import BATCH, Header
from dispatcher.decisions.store import DecisionStore
from dispatcher.security.key_files import ensure_patient_keys, read_patient_keys
from dispatcher.security.vault import Vault
from dispatcher.settings import Settings
from dispatcher.tuning import plugins
from solvers.optimiser import optimised
from solvers.planning import Limits, plan
from tests.solvers.town import asked, screening, trip, vendor

DAY = "2026-11-23"
Keep = Callable[..., str]


@pytest.fixture
def keep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Keep:
    """Keeps a decision in the data folder; gives its digest."""
    monkeypatch.setenv("DISPATCHER_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("DISPATCHER_MARKETS", "metro=America/New_York")
    plugins.load("")
    settings = Settings.read({"DISPATCHER_DATA_DIR": str(tmp_path)})
    ensure_patient_keys(settings.patient_keys_file)
    store = DecisionStore(
        Folder(tmp_path / "decisions"), Vault(read_patient_keys(settings.patient_keys_file))
    )

    def kept(limits: Limits | None = None, day: str = DAY, cost: int = 0, **values: Number) -> str:
        requests = [asked(trip(f"r{n}", start_min=100 + n)) for n in range(3)]
        made = screening(requests, [vendor("v1"), vendor("v2")], values=values)
        found = plan(made) if limits is None else optimised(made, limits)
        found = replace(found, cost=found.cost + cost)
        given = limits or Limits(time_limit_s=0.0)
        header = Header(
            market="metro", digest=found.digest, kind=BATCH, at_ms=made.now_ms, day=day, solver=found.solver,
            software="1", seed=given.seed, time_limit_s=given.time_limit_s, work_limit=given.work_limit,
            requests=("r0", "r1", "r2"), waiting=3, vendors=("v1", "v2"), matched=len(found.chosen),
            cost=found.cost, bound=found.bound,
        )  # fmt: skip
        store.put(*Packer().pack(header, made, found, partial(store.vault.seal, "metro")))
        return found.digest

    return kept


def test_a_whole_day_replays_with_a_summary(keep: Keep, capsys: pytest.CaptureFixture[str]) -> None:
    keep()
    keep(Limits(time_limit_s=1.0, work_limit=50_000), price_weight=2)
    keep(Limits(time_limit_s=0.1), price_weight=3)
    keep(day="2026-11-24", price_weight=4)
    assert main(["replay", "--all", "--day", DAY, "--json", "-"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["decisions"], told["identical"], told["verified"], told["differ"]) == (3, 2, 1, [])
    assert main(["replay", "--day", "2026-11-24"]) == 0, "a day alone is all of it"
    assert "1 decisions (1 batch): 1 of 1 byte-identical\n" in capsys.readouterr().out


def test_one_decision_is_found_by_its_digest(keep: Keep, capsys: pytest.CaptureFixture[str]) -> None:
    digest = keep()
    assert main(["replay", digest]) == 0
    assert "1 decisions (1 batch): 1 of 1 byte-identical" in capsys.readouterr().out


def test_what_differs_is_named_and_fails(keep: Keep, capsys: pytest.CaptureFixture[str]) -> None:
    digest = keep(cost=5)
    assert main(["replay", "--all", "--json", "-"]) == 1
    (found,) = json.loads(capsys.readouterr().out)["differ"]
    assert found["decision"] == digest
    assert found["problems"][0].startswith("cost was ")
    assert found["hint"].startswith("Maybe because it was decided by version 1")


def test_a_damaged_record_is_told_and_the_others_go_on(
    keep: Keep, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keep()
    broken = keep(price_weight=2)
    (tmp_path / "decisions" / "metro" / DAY / broken).write_bytes(b"decision\x01" + bytes(30))
    assert main(["replay", "--all", "--json", "-"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["identical"], told["unreadable"]) == (1, 1)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["replay", "0123456789abcdef"], "keeps no decision 0123456789abcdef of metro"),
        (["replay", "--all", "--day", "2020-01-01"], "keeps no decision of 2020-01-01 of metro"),
        (["replay"], "one decision or all?"),
        (["replay", "../../etc"], "is no id"),
        (["replay", "--all", "--decisions", "nowhere://x"], "DISPATCHER_DECISIONS is 'nowhere://x'"),
    ],
)
def test_what_is_not_there_or_not_meant_is_said(
    keep: Keep, words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    keep()
    assert main(words) != 0
    assert said in capsys.readouterr().err
