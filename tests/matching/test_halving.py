"""Exactly what makes the work fail by itself is found, in few tries; else nothing."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from math import log2

from hypothesis import given, settings
from hypothesis import strategies as st

from dispatcher.matching.halving import failing, faulty
from tests.examples import examples

MOST = 5
SOME = st.sets(st.integers(0, 199), max_size=2 * MOST)


@settings(max_examples=examples(50), deadline=None)
@given(st.integers(0, 200), SOME)
def test_the_faulty_are_found_in_few_tries_unless_they_are_too_many(size: int, marked: set[int]) -> None:
    bad, tries = {each for each in marked if each < size}, list[int]()

    def works(some: Sequence[int]) -> bool:
        tries.append(len(some))
        return bad.isdisjoint(some)

    assert faulty(range(size), works, MOST) == (sorted(bad) if len(bad) <= MOST else [])
    assert len(tries) <= 2 + 2 * min(len(bad), MOST + 1) * (1 + log2(max(size, 2)))


def test_one_of_many_costs_twice_the_work_of_all() -> None:
    for bad in (0, 4_711, 5_999):
        tried = list[int]()

        def works(some: Sequence[int], bad: int = bad, tried: list[int] = tried) -> bool:
            tried.append(len(some))
            return bad not in some

        assert failing(range(6_000), works, MOST) == [bad]
        assert sum(tried) <= 2 * 6_001
        assert len(tried) <= 26


def test_those_that_fail_only_together_are_nobodys_fault() -> None:
    def works(some: Collection[int]) -> bool:
        return not {3, 4} <= set(some) and 6 not in some

    assert failing(range(8), works, MOST) == [6]
    assert faulty(range(8), works, MOST) == []
    assert faulty(range(8), lambda some: False, MOST) == []
