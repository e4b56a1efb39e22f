"""What the parts of the store share: the committer, the reader, the vault."""

from __future__ import annotations

from dispatcher.security.vault import Vault
from dispatcher.store.committer import Committer
from dispatcher.store.connection import Reader


class Base:
    """One server, seen by one process."""

    def __init__(self, url: str, reader: Reader, committer: Committer, vault: Vault) -> None:
        self.url = url
        self.reader = reader
        self.committer = committer
        self.vault = vault
