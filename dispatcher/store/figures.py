"""What is only counted: a figure that cannot be written is left out and named, and stops nothing.

Somebody waits for the commit, nobody for its figure: a damaged count of how vendors answered last week keeps
no vendor from a ride, and one of how groups fare no ride from a vendor.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from dispatcher.store.aside import Aside, Item
from dispatcher.store.keys import Keys

FIGURE: Final = "figure"  # what is set aside: a key of counts, without its market


def name_left_out(aside: Aside, keys: Keys, left_out: Iterable[str]) -> None:
    """Say which keys of figures a commit went without; ops mends them."""
    for key in sorted(set(left_out)):
        item = Item(FIGURE, key.removeprefix(keys.prefix))
        aside.note_again(keys.market, item, "cannot be written")
