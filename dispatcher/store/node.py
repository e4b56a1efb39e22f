"""What the parts of the store share: the servers, seen by one process."""

from __future__ import annotations

from dataclasses import dataclass, field

from dispatcher.security.vault import Vault
from dispatcher.store.aside import Aside
from dispatcher.store.connection import Reader
from dispatcher.store.servers import Commits, Servers


@dataclass(frozen=True, eq=False)
class Node:
    """The way to the servers: `committer` writes, `reader` reads, `vault` seals what names a patient.

    `aside` knows what could not be read.
    """

    servers: Servers
    vault: Vault
    aside: Aside = field(default_factory=Aside)
    reader: Reader = field(init=False)
    committer: Commits = field(init=False)

    def __post_init__(self) -> None:
        """Both are asked for with each call: no property each time."""
        object.__setattr__(self, "reader", self.servers.reader)
        object.__setattr__(self, "committer", self.servers.committer)
