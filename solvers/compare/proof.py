"""What the proven bounds of two plans allow to say: nothing, where the two sides overlap."""

from __future__ import annotations

from dataclasses import dataclass

NOT_PROVEN, CHEAPER, DEARER = "no difference proven", "cheaper", "dearer"


@dataclass(frozen=True)
class Proof:
    """Two plans in the same cents: what each costs, and what no plan of its side can be below."""

    before: int
    before_bound: int
    after: int
    after_bound: int
    verdict: str


def proven(before: tuple[int, int], after: tuple[int, int]) -> Proof:
    """Of (cost, bound) each. A side's best plan lies between the two; where these overlap, either may win."""
    (cost, bound), (then, then_bound) = before, after
    verdict = CHEAPER if then < bound else DEARER if then_bound > cost else NOT_PROVEN
    return Proof(cost, bound, then, then_bound, verdict)
