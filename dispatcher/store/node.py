"""What the parts of the store share: one server, seen by one process."""

from __future__ import annotations

from dataclasses import dataclass, field

from dispatcher.security.vault import Vault
from dispatcher.store.aside import Aside
from dispatcher.store.committer import Committer
from dispatcher.store.connection import Reader


@dataclass(frozen=True, eq=False)
class Node:
    """The way to the server: `committer` writes, `reader` reads, `vault` seals what names a patient.

    `aside` knows what could not be read.
    """

    url: str
    reader: Reader
    committer: Committer
    vault: Vault
    aside: Aside = field(default_factory=Aside)
