"""Tasks: what the service cannot settle, listed by owner and due time; claimed, finished, commented."""

from __future__ import annotations

from contracts.operations import Answer, Body
from contracts.tasks import Claim, Comment, Finish, TaskId, TaskPage, TaskQuery, TaskView
from dispatcher.domain.commands.subjects import OnTask
from dispatcher.domain.commands.tasks import ClaimTask, CommentTask, FinishTask, ReleaseTask
from dispatcher.domain.rights import READERS
from dispatcher.http.call import Call, Reply
from dispatcher.http.commands import execute
from dispatcher.http.parts import Parts
from dispatcher.http.routing import ETAG, MARKET, Routes
from dispatcher.http.versions import etag

TASKS = f"{MARKET}/tasks"
TASK = f"{TASKS}/{{task_id}}"
ROUTES = Routes("tasks", 80, task_id=TaskId)


@ROUTES.get(TASKS, id="listTasks", roles=READERS, query=TaskQuery, answers={200: Answer("a page", TaskPage)})
async def list_tasks(call: Call, parts: Parts) -> Reply:
    """List tasks, the earliest due first, by role, state and due time; those that are done only if asked."""
    tasks, cursor = await parts.service.tasks.page(call.principal, call.market, call.query)
    return Reply(TaskPage(tasks=tuple(tasks), cursor=cursor or ""))


@ROUTES.get(TASK, id="getTask", roles=READERS, answers={200: Answer("the task", TaskView, ETAG)})
async def read(call: Call, parts: Parts) -> Reply:
    """Read a task with its comments."""
    view = await parts.service.tasks.view(call.principal, call.market, call.path["task_id"])
    return Reply(view, headers=etag(view.version))


@ROUTES.post(
    f"{TASK}/claim",
    id="claimTask",
    conditional=True,
    command=ClaimTask,
    body=Body(Claim, optional=True),
    answers={200: Answer("the task, claimed", TaskView, ETAG)},
    problems=("wrong-state",),
)
async def claim(call: Call, parts: Parts) -> Reply:
    """Claim a task: somebody takes it on."""
    return await _executed(call, parts, ClaimTask(task_id=call.path["task_id"], by=_who(call)))


@ROUTES.post(
    f"{TASK}/release",
    id="releaseTask",
    conditional=True,
    command=ReleaseTask,
    body=Body(Claim, optional=True),
    answers={200: Answer("the task, open again", TaskView, ETAG)},
    problems=("wrong-state",),
)
async def release(call: Call, parts: Parts) -> Reply:
    """Put a task back that was claimed."""
    return await _executed(call, parts, ReleaseTask(task_id=call.path["task_id"], by=_who(call)))


@ROUTES.post(
    f"{TASK}/finish",
    id="finishTask",
    conditional=True,
    command=FinishTask,
    body=Body(Finish, optional=True),
    answers={200: Answer("the task, done", TaskView, ETAG)},
    problems=("wrong-state",),
)
async def finish(call: Call, parts: Parts) -> Reply:
    """Finish a task, with its outcome; of a request that ended without its service, also with why."""
    body: Finish = call.body
    command = FinishTask(
        task_id=call.path["task_id"], by=_who(call), outcome=body.outcome, barrier=body.barrier
    )
    return await _executed(call, parts, command)


@ROUTES.post(
    f"{TASK}/comments",
    id="commentTask",
    command=CommentTask,
    body=Body(Comment),
    answers={200: Answer("the task with the comment", TaskView, ETAG)},
    problems=("wrong-state", "invalid-request"),
)
async def comment(call: Call, parts: Parts) -> Reply:
    """Comment on a task; the text is encrypted at rest."""
    task_id, tasks = call.path["task_id"], parts.service.tasks
    key = call.idempotency(f"comment/{task_id}")
    task = await tasks.comment(
        call.principal, call.market, task_id, by=_who(call), text=call.body.text, idempotency=key
    )
    return Reply(tasks.shown(call.market, task), headers=etag(task.version))


def _who(call: Call) -> str:
    """Who acts: as the call says, else whom the token names."""
    return call.body.by or call.principal.subject or call.principal.acting_as(READERS)


async def _executed(call: Call, parts: Parts, command: OnTask) -> Reply:
    task = await execute(call, parts, command)
    return Reply(parts.service.tasks.shown(call.market, task), headers=etag(task.version))
