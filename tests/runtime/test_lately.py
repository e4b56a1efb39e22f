"""What is asked for again is not made again."""

from __future__ import annotations

from dispatcher.runtime.lately import KEPT, Lately


def test_the_last_answers_are_given_again_and_older_ones_are_made_anew() -> None:
    made = list[tuple[int, ...]]()

    def total(*values: int) -> int:
        made.append(values)
        return sum(values)

    lately = Lately(total)
    assert [lately(1, 2), lately(1, 2), lately(2, 2), lately(1, 2)] == [3, 3, 4, 3]
    assert made == [(1, 2), (2, 2)]
    for number in range(KEPT):
        lately(number)
    assert lately(1, 2) == 3
    assert made.count((1, 2)) == 2
