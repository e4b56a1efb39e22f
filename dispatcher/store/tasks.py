"""Tasks of one market: listed by owner role and state, the earliest due first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import islice
from typing import NamedTuple

from contracts.tasks import OwnerRole, TaskKind, TaskState
from dispatcher.domain.tasks import TASK_KIND, TaskRecord, list_of
from dispatcher.store.keys import Keys
from dispatcher.store.listing import Cursor, Place
from dispatcher.store.node import Node
from dispatcher.store.records import Records
from dispatcher.store.resp import text_of

NOT_DONE = (TaskState.OPEN, TaskState.CLAIMED)
UNREADABLE = "(this comment cannot be read)"


class Backlog(NamedTuple):
    """What one owner has to do: tasks by state, how many are past due, and when the first was (0: none)."""

    by_state: Mapping[TaskState, int]
    overdue: int
    first_due_ms: int


class TaskPart:
    """The tasks of one market; the text of a comment is sealed for its task."""

    def __init__(self, node: Node, keys: Keys) -> None:
        self.vault, self.aside, self.reader, self.keys = node.vault, node.aside, node.reader, keys
        self.records = Records(node, keys, TASK_KIND)

    async def page(
        self, roles: Sequence[OwnerRole], states: Sequence[TaskState], cursor: str | None, limit: int
    ) -> tuple[list[TaskRecord], str | None]:
        """Up to `limit` tasks after `cursor`; where the next page starts. Raises Invalid for a cursor."""
        lists = [list_of(state, role) for state in states for role in roles]
        return await self.records.page(lists, Cursor.parse(cursor), limit)

    async def waiting_of(self, kind: TaskKind) -> list[str]:
        """Ids of the tasks of a kind that are not done: by the lists alone, for an id ends with the kind."""
        lists = [self.keys.list(list_of(state, owner)) for owner in OwnerRole for state in NOT_DONE]
        found = await self.reader.ask_all([("ZRANGE", each, 0, -1) for each in lists])
        ending = f".{kind.value}".encode()
        return [text_of(each) for ids in found for each in ids if each.endswith(ending)]

    async def backlogs(self, now_ms: int) -> dict[OwnerRole, Backlog]:
        """Of each owner what is not done: from the lists alone, whatever their length."""
        lists = [self.keys.list(list_of(state, owner)) for owner in OwnerRole for state in NOT_DONE]
        asked = [
            *(("ZCARD", each) for each in lists),
            *(("ZCOUNT", each, "-inf", f"({now_ms}") for each in lists),
            *(("ZRANGE", each, 0, 0, "WITHSCORES") for each in lists),
        ]
        answers = iter(await self.reader.ask_all(asked))
        counts, late, first = (list(islice(answers, len(lists))) for _ in range(3))
        made = dict[OwnerRole, Backlog]()
        for number, owner in enumerate(OwnerRole):
            own = slice(number * len(NOT_DONE), (number + 1) * len(NOT_DONE))
            due_ms = [place.score for each in first[own] for place in Place.read(each)]
            by_state = dict(zip(NOT_DONE, counts[own], strict=True))
            made[owner] = Backlog(by_state, sum(late[own]), min(due_ms, default=0))
        return made

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
