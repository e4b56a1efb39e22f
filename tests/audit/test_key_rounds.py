"""How far a rotation is, judged over the key file and what the processes say."""

from __future__ import annotations

import pytest

from dispatcher.audit.key_rounds import Role, Step, standing
from dispatcher.security.key_files import PatientKeyFile
from dispatcher.security.rings import KeyPrint, Ring, prints_of
from dispatcher.store.sealed import Sealed
from dispatcher.store.survey import Survey

A, B, C = (bytes([each]) * 32 for each in (1, 2, 3))
BOTH = PatientKeyFile("a", {"a": A, "b": B})
NEXT = PatientKeyFile("a", {"a": A, "b": B}, next="b")
AFTER = PatientKeyFile("b", {"a": A, "b": B})
PRINTS = prints_of(BOTH)


def market(*rings: Ring, used: str = "a", **sealed: Sealed) -> Survey:
    keys = frozenset(KeyPrint(each, PRINTS[each]) for each in used)
    return Survey(market="m", rings=list(rings), patient_keys=keys, sealed=sealed)


def process(name: str, sealing: str, *keys: str) -> Ring:
    return Ring(name, sealing, {each: PRINTS[each] for each in keys})


X, Y = process("x", "a", "a", "b"), process("y", "a", "a")


@pytest.mark.parametrize(
    ("ring", "found", "step", "why"),
    [
        (PatientKeyFile("a", {"a": A}), market(Y), Step.ADD, "no rotation is under way"),
        (NEXT, market(X, Y), Step.WAIT, "round 1: 1 of 2 processes can read b; wait for y"),
        (NEXT, market(X), Step.PROMOTE, "round 1: 1 of 1 processes can read b: done, make it current"),
        (AFTER, market(X), Step.WAIT, "round 2: 0 of 1 processes seal under b; wait for x"),
        (
            AFTER,
            market(process("x", "b", "a", "b"), used="ab", a=Sealed(ended=2, until_ms=1_772_438_400_000)),
            Step.WAIT,
            "a seals 0 open requests, 2 that have ended and 0 comments and messages still; it may be removed "
            "when they are forgotten, the last request at 2026-03-02 08:00 UTC",
        ),
        (AFTER, market(process("x", "b", "a", "b"), used="ab"), Step.REMOVE, "a seals nothing any more"),
        (BOTH, market(X), Step.ADD, "no rotation is under way"),  # one that was never used is no old one
    ],
)
def test_the_next_step_is_safe(ring: PatientKeyFile, found: Survey, step: Step, why: str) -> None:
    now = standing(ring, [found])
    assert now.step is step
    assert now.why[0].startswith(why)
    assert now.problems == []


def test_a_key_that_was_never_used_is_spare_and_no_step_takes_it_by_itself() -> None:
    now = standing(BOTH, [market(X)])
    assert [(each.id, each.role) for each in now.keys] == [("a", Role.CURRENT), ("b", Role.SPARE)]
    assert now.why[1] == "b has sealed nothing yet: name it `next` to rotate to it"


@pytest.mark.parametrize(
    ("ring", "found", "problem"),
    [
        (
            PatientKeyFile("b", {"b": B}),
            market(used="ab", a=Sealed(open=3)),
            "a is in use (it seals 3 blocks), and is not in the key file",
        ),
        (
            PatientKeyFile("a", {"a": C}),
            market(),
            "a of the key file is another key than the one of that name that is in use",
        ),
        (AFTER, market(X, Y, b=Sealed(open=1)), "b is not in the key ring of y"),
    ],
)
def test_what_is_wrong_is_named(ring: PatientKeyFile, found: Survey, problem: str) -> None:
    assert standing(ring, [found]).problems == [problem]
