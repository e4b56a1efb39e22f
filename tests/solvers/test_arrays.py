"""What is done with arrays in several places."""

import numpy as np

from solvers.arrays import counting, table_of


def test_a_table_has_the_longest_row_and_fills_the_others_up() -> None:
    assert table_of([[1, 2], [], [3]]).tolist() == [[1, 2], [-1, -1], [3, -1]]
    assert table_of([[7]], fill=0).tolist() == [[7]]
    assert table_of([[], []]).shape == (2, 0)
    assert table_of([]).shape == (0, 0)


def test_counting_starts_anew_for_each() -> None:
    assert counting(np.array([2, 0, 3])).tolist() == [0, 1, 0, 1, 2]
    assert counting(np.zeros(0, np.int64)).tolist() == []
