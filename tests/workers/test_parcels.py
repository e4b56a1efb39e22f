"""What is sent between matchers and workers: opened by whom it is for, gone when it is old."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from dispatcher.blobs.folder import Folder
from dispatcher.security.key_files import PatientKeyFile
from dispatcher.security.vault import Vault
from dispatcher.workers.broker import Ref
from dispatcher.workers.parcels import DAY_S, RESULT, TASK, NoParcel, Parcels

REF = Ref("metro", "0123456789abcdef", "7-abc")
OLD, NEW = ("old", bytes(32)), ("new", bytes(range(32)))
ASKS = PatientKeyFile("new", dict([OLD, NEW]))


def parcels(ring: PatientKeyFile, folder: Path, small: int = 1_000, *, answers: bool = False) -> Parcels:
    return Parcels(Vault(ring), Folder(folder), small, answers=answers)


@pytest.mark.parametrize("small", [1_000, 10], ids=["with the task", "in the object store"])
def test_a_worker_answers_under_the_key_that_it_was_asked_under(tmp_path: Path, small: int) -> None:
    """Whichever is current where it runs: keys are rotated in two rounds."""
    matcher = parcels(ASKS, tmp_path, small)
    worker = parcels(PatientKeyFile("old", dict([OLD, NEW])), tmp_path, small, answers=True)
    asked = matcher.packed(REF, TASK, b"a door somewhere")
    assert worker.opened(REF, TASK, asked) == b"a door somewhere"
    answer = worker.packed(REF, RESULT, b"places")
    assert (
        parcels(PatientKeyFile("new", dict([NEW])), tmp_path, small).opened(REF, RESULT, answer) == b"places"
    )


def test_without_its_key_or_its_file_a_parcel_is_none(tmp_path: Path) -> None:
    asked = parcels(ASKS, tmp_path, 10).packed(REF, TASK, b"a door somewhere")
    with pytest.raises(NoParcel, match="MissingKey"):
        parcels(PatientKeyFile("old", dict([OLD])), tmp_path).opened(REF, TASK, asked)
    parcels(ASKS, tmp_path).thrown_away(asked)
    with pytest.raises(NoParcel, match="not where it was left"):
        parcels(ASKS, tmp_path).opened(REF, TASK, asked)


def test_what_was_left_behind_goes_after_a_day_and_what_is_none_of_ours_stays(tmp_path: Path) -> None:
    made, today = parcels(ASKS, tmp_path, 10), int(time.time()) // DAY_S
    made.packed(REF, TASK, b"a door somewhere")
    for name in (f"metro/{today - 5}/{'0' * 32}", "metro/notes", f"metro/{today - 5}/notes"):
        made.blobs.put(name, b"x")
    assert made.tidied("metro") == 1
    assert len(made.blobs.under("metro")) == 3
