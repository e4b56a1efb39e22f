"""A long way through the code is gone in steps: when many are on it, they take each step one after another.

The way is longer than the processor's caches are large: who goes all of it at once finds little of it there,
whoever went before. Of those who take a step in turn all but the first find it: a tenth less of their time.
Where few are on the way nobody waits for others: each step would be a round of the loop, with all that is
done in it.
"""

from __future__ import annotations

import asyncio

MANY = 16


class Steps:
    """One way; whoever is on it is within `with steps`."""

    def __init__(self) -> None:
        self.on_the_way = 0

    def __enter__(self) -> None:
        self.on_the_way += 1

    def __exit__(self, *_: object) -> None:
        self.on_the_way -= 1

    async def together(self) -> None:
        """Until whoever else is ready has come as far; when few are on the way, at once."""
        if self.on_the_way >= MANY:
            await asyncio.sleep(0)
