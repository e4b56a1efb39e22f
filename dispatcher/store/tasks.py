"""Tasks of one market: listed by owner role and state, the earliest due first."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from contracts.tasks import OwnerRole, TaskState
from dispatcher.domain.tasks import TASK_KIND, TaskRecord, list_of
from dispatcher.store.keys import Keys
from dispatcher.store.listing import Cursor
from dispatcher.store.node import Node
from dispatcher.store.records import Records

UNREADABLE = "(this comment cannot be read)"


class TaskPart:
    """The tasks of one market; the text of a comment is sealed for its task."""

    def __init__(self, node: Node, keys: Keys) -> None:
        self.vault, self.aside, self.keys = node.vault, node.aside, keys
        self.records = Records(node, keys, TASK_KIND)

    async def page(
        self, roles: Sequence[OwnerRole], states: Sequence[TaskState], cursor: str | None, limit: int
    ) -> tuple[list[TaskRecord], str | None]:
        """Up to `limit` tasks after `cursor`; where the next page starts. Raises Invalid for a cursor."""
        lists = [list_of(state, role) for state in states for role in roles]
        return await self.records.page(lists, Cursor.parse(cursor), limit)

    def seal(self, task_id: str, text: str) -> bytes:
        """A comment's text as it is stored."""
        return self.vault.seal(self.keys.market, task_id, text.encode())

    def open(self, task_id: str, sealed: bytes) -> str:
        """A comment's text; a word that it cannot be read, when its key is gone: the task is still there."""
        opened = self.aside.read_all(
            self.keys.market, "comment", [(task_id, sealed)], partial(self._open, task_id)
        )
        return opened.get(task_id, UNREADABLE)

    def _open(self, task_id: str, sealed: bytes) -> str:
        return self.vault.open(self.keys.market, task_id, sealed).decode()
