"""Some rows of a block that did not close: all who could stand there move together, and break nothing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import pytest

from benchmarks.generator import generate
from solvers.assignment.blocks import Blocks
from solvers.assignment.deadline import WORK_PER_SECOND, Deadline
from solvers.assignment.dual import Prices
from solvers.assignment.incumbent import Incumbent
from solvers.assignment.instance import instance_of
from solvers.assignment.open_block import OpenBlock
from solvers.assignment.packing import Block, Packing
from solvers.assignment.plan import cost_of
from solvers.assignment.polish import Polisher
from solvers.assignment.problem import AssignmentProblem
from solvers.assignment.search import Search
from solvers.assignment.solve import solve
from solvers.checker import check

WORK = WORK_PER_SECOND // 20


class Town(NamedTuple):
    """A day with ties, a rough plan of it, and its first block."""

    problem: AssignmentProblem
    choice: np.ndarray
    prices: Prices
    packing: Packing
    block: Block

    @property
    def best(self) -> Incumbent:
        best = Incumbent(self.problem, Deadline(60.0))
        assert best.offer(self.choice)
        return best

    def polished(self, *, work: int, left_open: OpenBlock | None, threads: int = 1) -> Incumbent:
        """What becomes of the plan where no request by itself looks beyond its cheapest columns."""
        best, deadline = self.best, Deadline(1e9, work_limit=work)
        near = Search(self.prices, self.prices.instance.from_given(self.choice), best.cost, width=0.0, most=1)
        polisher = Polisher(self.prices, near, best, lambda: left_open)
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(polisher.run, [deadline] * threads, range(threads)))
        assert check(self.problem, best.choice, claimed_cost=best.cost).ok
        return best


@pytest.fixture(scope="module")
def town() -> Town:
    problem = generate(100, "overloaded", 5, sequence_share=0.2)
    prices = Prices(instance_of(problem))
    prices.climb(Deadline(1e9, work_limit=200_000), rounds=200, share=1.0)
    choice = solve(problem, time_limit_s=1e9, workers=1, work_limit=1).choice
    packing, taken = Packing(prices), prices.instance.from_given(choice)
    block = next(packing.blocks(lambda: taken, cost_of(problem, choice), most=10_000))
    assert len(block.rows) > 1
    return Town(problem, choice, prices, packing, block)


def test_all_who_could_stand_in_some_rows_are_drawn_with_columns_of_the_block(town: Town) -> None:
    packing, drawn, rng = town.packing, OpenBlock(town.block, town.packing), np.random.default_rng(1)
    inside = np.isin(packing.row, town.block.rows)
    for _ in range(20):
        requests, columns = drawn.draw(rng)
        assert inside[columns].all()
        assert np.isin(requests, packing.request[columns]).all()
        assert np.isin(packing.request[columns], requests).all()
        some = np.unique(packing.row[columns])
        whole = [row for row in some if np.isin(packing.request[packing.row == row], requests).all()]
        assert np.isin(requests, packing.request[np.isin(packing.row, whole)]).all()


def test_who_stands_at_its_cheapest_makes_room_by_a_column_that_is_not_near() -> None:
    zero = np.zeros(3, np.int64)
    problem = AssignmentProblem(
        request_penalty=np.array([100, 100]),
        column_request=np.array([0, 0, 1]),
        column_vendor=np.array([0, 1, 0]),
        column_resource=zero,
        column_start=zero,
        column_duration=zero + 1,
        column_units=zero + 1,
        column_cost=np.array([0, 50, 10]),
        capacity=np.ones((2, 1, 1), np.int64),
    )
    prices = Prices(instance_of(problem))
    both = Block(np.arange(2), np.arange(2), np.arange(3), problem, certain=0, credit=0)
    town = Town(problem, np.array([0, -1]), prices, Packing(prices), both)
    assert town.polished(work=WORK, left_open=None).cost == 100
    assert town.polished(work=WORK, left_open=OpenBlock(both, town.packing)).cost == 60


def test_two_threads_keep_every_rule(town: Town) -> None:
    left_open = OpenBlock(town.block, town.packing)
    found = town.polished(work=WORK, left_open=left_open, threads=2)
    assert found.cost <= cost_of(town.problem, town.choice)  # what they gain, the scheduler decides


def test_the_same_work_and_seed_give_the_same_bytes(town: Town) -> None:
    left_open = OpenBlock(town.block, town.packing)
    one, other = (town.polished(work=WORK, left_open=left_open).choice.tobytes() for _ in range(2))
    assert one == other


@pytest.mark.parametrize(("work", "is_open"), [(5_000, True), (WORK_PER_SECOND, False)])
def test_a_block_that_closes_needs_no_neighbourhoods(town: Town, *, work: int, is_open: bool) -> None:
    blocks = Blocks(town.prices, town.best)
    blocks.ahead(Deadline(1e9, work_limit=work), seed=1)
    assert (blocks.open is not None) == is_open
