"""Tasks as all but vendors read them, and a comment's way to where it is sealed."""

from __future__ import annotations

from contracts.geo import WindowView
from contracts.instants import to_instant, to_ms
from contracts.tasks import OwnerRole, TaskComment, TaskQuery, TaskView
from dispatcher.domain.commands.tasks import CommentTask
from dispatcher.domain.refusals import no_such
from dispatcher.domain.retiming import could
from dispatcher.domain.rights import may_act
from dispatcher.domain.task_owners import OWNERS
from dispatcher.domain.tasks import TaskRecord, asks_barrier, subject_of
from dispatcher.security.principal import Principal
from dispatcher.service.execute import Executor
from dispatcher.service.markets import Markets
from dispatcher.store.idempotency import IdempotencyRecord
from dispatcher.store.tasks import NOT_DONE


class Tasks:
    """Reads, and `comment`. They raise NotFound for what is unknown, and Unavailable."""

    def __init__(self, markets: Markets, executor: Executor) -> None:
        self.markets, self.executor = markets, executor

    async def view(self, who: Principal, market: str, task_id: str) -> TaskView:
        """One task with its comments."""
        self.markets.authorize_requests(who, market)
        task = await self.markets.store(market).tasks.records.get(task_id)
        if task is None:
            raise no_such(f"task {task_id}")
        return self.shown(market, task)

    async def page(self, who: Principal, market: str, query: TaskQuery) -> tuple[list[TaskView], str | None]:
        """Tasks by due time, and where the next page starts. Raises Invalid for a strange cursor."""
        self.markets.authorize_requests(who, market)
        roles = [query.role] if query.role else list(OwnerRole)
        states = [query.state] if query.state else NOT_DONE
        tasks = self.markets.store(market).tasks
        found, cursor = await tasks.page(roles, states, query.cursor or None, query.limit)
        if query.due_before is not None:
            until_ms = to_ms(query.due_before)
            due = [each for each in found if each.due_ms < until_ms]
            found, cursor = due, cursor if len(due) == len(found) else None
        return [self.shown(market, each) for each in found], cursor

    async def comment(
        self,
        who: Principal,
        market: str,
        task_id: str,
        *,
        by: str,
        text: str,
        idempotency: IdempotencyRecord | None = None,
    ) -> TaskRecord:
        """Add a word; it is sealed before anything else sees it."""
        self.markets.authorize_requests(who, market)
        sealed = self.markets.store(market).tasks.seal(task_id, text)
        command = CommentTask(task_id=task_id, by=by, sealed=sealed)
        task: TaskRecord = await self.executor.execute(who, market, command, idempotency)
        return task

    def shown(self, market: str, task: TaskRecord) -> TaskView:
        """The task with its comments opened; one that cannot be read hides nothing else."""
        tasks, about = self.markets.store(market).tasks, subject_of(task)
        return TaskView(
            id=task.id,
            kind=task.kind,
            request_id=about.request_id,
            authorization_id=about.authorization_id,
            standing_order_id=about.standing_order_id,
            offer_id=task.offer_id,
            state=task.state,
            owner=task.owner,
            version=task.version,
            code=task.code,
            opened_at=to_instant(task.opened_ms),
            due_at=to_instant(task.due_ms),
            escalations=task.escalations,
            claimed_by=task.claimed_by,
            outcome=task.outcome,
            ended_at=to_instant(task.ended_ms) if task.ended_ms else None,
            comments=tuple(
                TaskComment(at=to_instant(each.at_ms), by=each.by, text=tasks.open(task.id, each.sealed))
                for each in task.comments
            ),
            barrier_asked=asks_barrier(task),
            retiming=task.retiming,
            could=could(task),
            given_back=task.given_back,
            left=task.left,
            rules=task.rules,
            window=_window(task),
            webhook_id=about.webhook_id,
            vendor_id=about.vendor_id,
            may_act=tuple(sorted(may_act(task.owner, OWNERS[task.kind]))),
        )


def _window(task: TaskRecord) -> WindowView | None:
    if not task.asked_latest_ms:
        return None
    return WindowView(earliest=to_instant(task.asked_earliest_ms), latest=to_instant(task.asked_latest_ms))
