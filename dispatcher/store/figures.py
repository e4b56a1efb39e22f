"""What is only counted: a figure that cannot be written is left out and named, and stops nothing.

Somebody waits for the commit, nobody for its figure: a damaged count of how vendors answered last week keeps
no vendor from a ride, and one of how groups fare no ride from a vendor.
"""

from __future__ import annotations

from typing import Final

from dispatcher.store.aside import Aside, Item
from dispatcher.store.keys import Keys
from dispatcher.store.outcome import Outcome

FIGURE: Final = "figure"  # what is set aside: a key of counts, without its market


def name_left_out(aside: Aside, keys: Keys, outcome: Outcome) -> None:
    """Say which figures a commit went without; ops mends them."""
    for key in sorted(outcome.left_out):
        item = Item(FIGURE, key.removeprefix(keys.prefix))
        aside.note_again(keys.market, item, "cannot be written")
