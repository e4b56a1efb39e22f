"""Roles apart, two matchers: each role killed by itself, then several in every order, and back in another."""

from __future__ import annotations

from itertools import permutations
from random import Random

from chaos.kill_service import kill_in_turn
from chaos.parts import OWNER, roles_apart
from chaos.struck_day import Victims
from chaos.trial import Trial

ROLES = ("web", "matcher", "replies", "jobs")
SEED = 5  # so that the first orders are not all alike


def turns() -> list[Victims]:
    """Whoever has the market, each other role, and all four in each of their orders."""
    orders: list[Victims] = list(permutations(ROLES))
    Random(SEED).shuffle(orders)
    return [(OWNER,), ("replies",), ("jobs",), ("web",), *orders]


async def kill_roles(trial: Trial) -> None:
    """Roles apart are killed, one or several in any order; another matcher takes the market over."""
    await kill_in_turn(trial, turns(), roles_apart)
