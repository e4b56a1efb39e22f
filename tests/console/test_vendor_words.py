"""Every code that a vendor may see has its words, in both languages."""

from __future__ import annotations

import re
from enum import StrEnum

import pytest

from contracts.codes import (
    CredentialKind,
    DeclineCode,
    DoorLevel,
    ReportCode,
    ServiceClass,
    Skill,
    TrackingStatus,
)
from contracts.prices import DisputeOutcome, PriceKind
from contracts.proofs import NotSigned, ProofPart, Relationship
from dispatcher.console.assets import FOLDER
from dispatcher.domain.losses import DO, LIMITS, SAYS
from dispatcher.domain.proof_required import DELIVERY, EQUIPMENT, RIDE, names, required

FAMILIES: dict[str, type[StrEnum]] = {
    "level": ServiceClass,
    "door": DoorLevel,
    "skill": Skill,
    "price": PriceKind,
    "status": TrackingStatus,
    "act": TrackingStatus,
    "paper": CredentialKind,
    "part": ProofPart,
    "relationship": Relationship,
    "refused": NotSigned,
    "dispute": DisputeOutcome,
}
FILES = ("core/messages.js", "core/messages_more.js", "panels/words.js", "panels/lost_words.js")
SOURCES = [(FOLDER / "vendor" / name).read_text() for name in FILES]
KEYS = {key for source in SOURCES for key in re.findall(r'^  "([\w.-]+)": \[', source, re.MULTILINE)}


@pytest.mark.parametrize("family", FAMILIES)
def test_every_code_has_its_words(family: str) -> None:
    assert {f"{family}.{each.value}" for each in FAMILIES[family]} - KEYS == set()


def test_every_rule_that_offers_are_lost_to_has_its_words_and_so_has_what_helps() -> None:
    rules = {f"rule.{each}" for each in SAYS} | {f"do.{each}" for each in DO}
    limits = {f"limit.{each}" for each in LIMITS}
    assert rules | limits | {"get.skills", "get.hcpcs"} <= KEYS


def test_every_reason_has_its_words() -> None:
    assert {f"code.{each.value}" for kind in (DeclineCode, ReportCode) for each in kind} - KEYS == set()


def test_every_proof_that_is_lacking_has_its_words() -> None:
    most = {each.name: each.maximum for each in (RIDE, DELIVERY)}
    wanted = {each for kind in ("trip", EQUIPMENT) for each in names(required(kind, most))}
    assert {f"lacking.{each}" for each in wanted} - KEYS == set()
