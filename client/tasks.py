"""What people do with tasks: list, claim, release, finish, comment; coordinators, case managers, ops."""

from __future__ import annotations

from collections.abc import AsyncIterator

from client.answers import about
from client.http import Connection, segment
from client.pages import pages
from contracts.barriers import BarrierCode
from contracts.base import Wire
from contracts.tasks import Claim, Comment, Finish, OwnerRole, TaskOutcome, TaskPage, TaskState, TaskView

TASKS = "/tasks"


class TaskClient(Connection):
    """Calls with any token but a vendor's.

    `by` is who acts, as your directory names them; None: whom the token names, which is all that the token of
    a coordinator or a case manager may say. A task that is another role's raises Problem 403.
    """

    async def tasks(
        self, role: OwnerRole | None = None, state: TaskState | None = None
    ) -> AsyncIterator[TaskView]:
        """Tasks (of one role, in one state), the earliest due first; by default what is not done."""
        asked = ({"role": role.value} if role else {}) | ({"state": state.value} if state else {})
        async for page in pages(self, TASKS, TaskPage, asked):
            for task in page.tasks:
                yield task

    async def task(self, task_id: str) -> TaskView:
        """One task with its comments. Raises Problem 404."""
        return await self._task("GET", task_id)

    async def claim(self, task_id: str, by: str | None = None) -> TaskView:
        """Take it on. Raises Problem 409 when somebody else has it."""
        return await self._task("POST", task_id, "/claim", Claim(by=by))

    async def release(self, task_id: str, by: str | None = None) -> TaskView:
        """Put it back. Raises Problem 409 when somebody else has it."""
        return await self._task("POST", task_id, "/release", Claim(by=by))

    async def finish(
        self,
        task_id: str,
        by: str | None = None,
        outcome: TaskOutcome = TaskOutcome.RESOLVED,
        *,
        barrier: BarrierCode | None = None,
    ) -> TaskView:
        """Done; with `barrier`, why its request ended without its service.

        Raises Problem 409 when it ended otherwise, or its request did.
        """
        body = Finish(by=by, outcome=outcome, barrier=barrier)
        return await self._task("POST", task_id, "/finish", body)

    async def comment(self, task_id: str, by: str | None, text: str) -> TaskView:
        """Add a word; it is encrypted at rest."""
        return await self._task("POST", task_id, "/comments", Comment(by=by, text=text))

    async def _task(self, method: str, task_id: str, step: str = "", body: Wire | None = None) -> TaskView:
        """One task as it stands after a call about it."""
        path = f"{TASKS}/{segment(task_id)}{step}"
        task = await self.call(method, path, TaskView, body=body)
        return about(task, task.id, task_id, f"{method} {path}")
