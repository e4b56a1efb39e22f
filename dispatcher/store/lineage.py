"""Which server answers: whether another was promoted since something was read.

A fail-over may lose the last writes. Then the same version numbers come again, of documents with other
content, and a change that was decided on what is lost would be half of each. What was decided before, is
decided anew.
"""

from __future__ import annotations

from dispatcher.store.pipe import Pipe

NEVER = "0" * 40  # as a server says that it has not been another's replica


class Lineage:
    """Of all connections of one process to one store. `number` counts the promotions that it met.

    Of several servers one may have been promoted long ago: it counts all the same when it is met first, and
    what is decided just then is decided anew, for nothing.
    """

    def __init__(self) -> None:
        self.number = 0
        self._known = set[str]()

    async def meet(self, pipe: Pipe) -> None:
        """The server at the other end of a new connection."""
        self.met(bytes(await pipe.ask_one("INFO", "replication")).decode())

    def met(self, told: str) -> None:
        """What it says of itself: its own history's id, and the one that it had as a replica."""
        facts = dict(line.partition(":")[::2] for line in told.splitlines())
        own, before = facts.get("master_replid", ""), facts.get("master_replid2", NEVER)
        if facts.get("role") != "master":  # it takes no writes (yet): who it becomes is told by another id
            return
        if self._known and own not in self._known and before != NEVER:
            self.number += 1
        self._known.add(own)
