"""What people do with tasks: list, claim, release, finish, comment; coordinators, case managers, ops."""

from __future__ import annotations

from collections.abc import AsyncIterator

from client.http import Connection
from contracts.tasks import Claim, Comment, Finish, OwnerRole, TaskOutcome, TaskPage, TaskState, TaskView


class TaskClient(Connection):
    """Calls with a `platform` or `ops` token. `by` is who acts, as your directory names them."""

    async def tasks(
        self, role: OwnerRole | None = None, state: TaskState | None = None
    ) -> AsyncIterator[TaskView]:
        """Tasks (of one role, in one state), the earliest due first; by default what is not done."""
        asked = (
            {"limit": "200"}
            | ({"role": role.value} if role else {})
            | ({"state": state.value} if state else {})
        )
        cursor = ""
        while True:
            params = asked | ({"cursor": cursor} if cursor else {})
            page = await self.call("GET", "/tasks", TaskPage, params=params)
            for task in page.tasks:
                yield task
            if not (cursor := page.cursor):
                return

    async def task(self, task_id: str) -> TaskView:
        """One task with its comments. Raises Problem 404."""
        return await self.call("GET", f"/tasks/{task_id}", TaskView)

    async def claim(self, task_id: str, by: str) -> TaskView:
        """Take it on. Raises Problem 409 when somebody else has it."""
        return await self.call("POST", f"/tasks/{task_id}/claim", TaskView, body=Claim(by=by))

    async def release(self, task_id: str, by: str) -> TaskView:
        """Put it back."""
        return await self.call("POST", f"/tasks/{task_id}/release", TaskView, body=Claim(by=by))

    async def finish(self, task_id: str, by: str, outcome: TaskOutcome = TaskOutcome.RESOLVED) -> TaskView:
        """Done. Raises Problem 409 when it ended otherwise."""
        body = Finish(by=by, outcome=outcome)
        return await self.call("POST", f"/tasks/{task_id}/finish", TaskView, body=body)

    async def comment(self, task_id: str, by: str, text: str) -> TaskView:
        """Add a word; it is encrypted at rest."""
        return await self.call("POST", f"/tasks/{task_id}/comments", TaskView, body=Comment(by=by, text=text))
