"""Which key is sealed under: one that all can read; and a key file that is written whole or not at all."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from msgspec.structs import replace

from dispatcher.security import key_files
from dispatcher.security.key_files import (
    KeyFileError,
    PatientKeyFile,
    RingFile,
    read_patient_keys,
    write_patient_keys,
)
from dispatcher.security.rings import KeyPrint, Ring, agreed, is_known, missing, prints_of

A, B, C = (bytes([each]) * 32 for each in (1, 2, 3))
OLD = PatientKeyFile("a", {"a": A})
ROUND_1 = PatientKeyFile("a", {"a": A, "b": B}, next="b")
ROUND_2 = PatientKeyFile("b", {"a": A, "b": B})
LAST = PatientKeyFile("b", {"b": B})


def said(ring: PatientKeyFile, sealing: str = "") -> Ring:
    return Ring("web there:1", sealing or ring.current, prints_of(ring))


@pytest.mark.parametrize(
    ("ring", "others", "key"),
    [
        (ROUND_2, [], "b"),
        (ROUND_2, [said(ROUND_1), said(ROUND_2)], "b"),
        (ROUND_2, [said(ROUND_1), said(OLD)], "a"),  # one has not read the new key yet: the old one
        (ROUND_1, [said(ROUND_2)], "a"),
        (LAST, [said(OLD)], "b"),  # nothing that both have: somebody lacks a key in any case
        (ROUND_2, [said(LAST)], "b"),
        (replace(ROUND_1, current="b", next=""), [said(PatientKeyFile("a", {"a": A, "b": C}))], "a"),
    ],
)
def test_what_is_sealed_can_be_read_by_all(ring: PatientKeyFile, others: list[Ring], key: str) -> None:
    assert agreed(ring, prints_of(ring), others) == key


def test_a_key_is_missing_if_it_is_not_there_or_is_another_by_that_name() -> None:
    used = [KeyPrint("a", prints_of(OLD)["a"]), KeyPrint("b", prints_of(ROUND_2)["b"])]
    assert missing(prints_of(ROUND_1), used) == []
    assert missing(prints_of(OLD), used) == ["b"]
    assert missing(prints_of(PatientKeyFile("a", {"a": C, "b": B})), used) == ["a"]


def test_a_print_shows_nothing_of_its_key() -> None:
    (print_,) = prints_of(OLD).values()
    assert len(print_) == 12
    assert bytes.fromhex(print_) not in A


def test_the_file_is_replaced_whole_and_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "patient-keys.json"
    write_patient_keys(path, OLD)
    write_patient_keys(path, ROUND_1)
    assert read_patient_keys(path) == ROUND_1
    assert stat.S_IMODE(path.stat().st_mode) == 0o600

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(key_files, "_write_private", full)
    with pytest.raises(KeyFileError, match="No space left"):
        write_patient_keys(path, ROUND_2)
    assert read_patient_keys(path) == ROUND_1
    assert list(tmp_path.iterdir()) == [path], "nothing is left beside it"


def test_the_next_key_is_one_of_the_file_and_not_the_current_one(tmp_path: Path) -> None:
    path = tmp_path / "patient-keys.json"
    for wrong in ("a", "c"):
        write_patient_keys(path, replace(ROUND_1, next=wrong))
        with pytest.raises(KeyFileError, match=f"next key '{wrong}'"):
            read_patient_keys(path)


def test_a_running_process_reads_a_changed_file_and_keeps_what_it_has_when_that_is_no_key_file(
    tmp_path: Path,
) -> None:
    path = tmp_path / "patient-keys.json"
    write_patient_keys(path, OLD)
    file = RingFile(path)
    assert file.changed() is None
    write_patient_keys(path, ROUND_1)
    assert file.changed() == ROUND_1
    assert file.changed() is None
    path.write_text("{")
    with pytest.raises(KeyFileError):
        file.changed()
    assert file.ring == ROUND_1


def test_a_key_is_the_services_where_something_is_sealed_under_it_or_a_process_has_it_already() -> None:
    key, used = KeyPrint("b", "22"), [KeyPrint("a", "11")]
    assert is_known(key, [], []), "nobody knows any yet"
    assert not is_known(key, used, [])
    assert not is_known(key, used, [Ring("web", "a", {"a": "11", "b": "other"})])
    assert is_known(key, used, [Ring("web", "a", {"a": "11", "b": "22"})]), "round 2 of a rotation"
    assert is_known(key, [key], [Ring("web", "a", {"a": "11"})])
