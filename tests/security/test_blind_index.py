"""A patient is found again however it is typed, and its token tells nobody who it is."""

from __future__ import annotations

import pytest

from contracts.patients import Patient
from dispatcher.security.blind_index import BlindIndex
from dispatcher.security.key_files import PatientKeyFile
from dispatcher.security.vault import Vault

OLD, NEW = bytes(range(32)), bytes(range(32, 64))
BEFORE, BETWEEN, AFTER = (
    PatientKeyFile("a", {"a": OLD}),
    PatientKeyFile("b", {"a": OLD, "b": NEW}),
    PatientKeyFile("b", {"b": NEW}),
)
ONE = Patient(name="Zoë  O'Canary", phone="+1 (212) 555-0142", record_number="MRN-0042")


def tokens(patient: Patient | None, ring: PatientKeyFile = BEFORE, market: str = "metro") -> tuple[str, ...]:
    return BlindIndex(Vault(ring)).tokens(market, patient)


@pytest.mark.parametrize(
    ("patient", "same"),
    [
        (ONE, Patient(name="Another", phone="1", record_number="mrn 0042")),
        (Patient(name=ONE.name, phone=ONE.phone), Patient(name="zoe\u0308 o’canary", phone="212.555.0142")),
        (Patient(name="Ａda", phone="٠١٢٣٤٥٦٧٨٩"), Patient(name="ADA", phone="0123456789")),
    ],
)
def test_a_patient_has_one_token_however_it_is_typed(patient: Patient, same: Patient) -> None:
    assert tokens(patient) == tokens(same) != ()


@pytest.mark.parametrize(
    "other",
    [
        Patient(name=ONE.name, phone=ONE.phone, record_number="MRN-0043"),
        Patient(name=ONE.name, phone=ONE.phone),
        Patient(name="MRN", phone="0042"),
    ],
)
def test_another_patient_has_another_token(other: Patient) -> None:
    assert tokens(ONE) != tokens(other) != ()


@pytest.mark.parametrize("patient", [None, Patient(name="Zoë"), Patient(name="!", phone="555-0142")])
def test_whom_nothing_tells_apart_has_none(patient: Patient | None) -> None:
    assert tokens(patient) == ()


def test_a_market_has_tokens_of_its_own() -> None:
    assert tokens(ONE, market="metro") != tokens(ONE, market="seoul")


def test_while_keys_are_rotated_any_two_processes_have_a_token_in_common() -> None:
    for one, other in ((BEFORE, BETWEEN), (BETWEEN, AFTER)):
        assert set(tokens(ONE, one)) & set(tokens(ONE, other))
    assert not set(tokens(ONE, BEFORE)) & set(tokens(ONE, AFTER))


def test_a_ring_that_is_read_again_counts_at_once() -> None:
    vault = Vault(BEFORE)
    index = BlindIndex(vault)
    before = index.tokens("metro", ONE)
    vault.take(BETWEEN)
    assert index.tokens("metro", ONE) == (*tokens(ONE, AFTER), *before)


def test_a_token_is_text_of_one_length_without_what_it_was_made_of() -> None:
    for token in tokens(ONE, BETWEEN):
        assert len(token) == 24
        assert not any(said.lower() in token.lower() for said in ("zo", "canary", "0042", "0142"))
