"""Whether tasks about vendors' papers go with what was told of these: each is written in one commit."""

from __future__ import annotations

from collections.abc import Iterator

from contracts.tasks import TaskKind
from dispatcher.audit.needs import is_open
from dispatcher.domain.credentials import CREDENTIAL_KIND, CredentialWatch, dispatch_task, paper_task
from dispatcher.domain.tasks import TASK_KIND, TaskRecord
from dispatcher.store.survey import Survey

KINDS = (TaskKind.CREDENTIAL_EXPIRING, TaskKind.DISPATCH_BEYOND_CREDENTIAL)


def untold(found: Survey) -> Iterator[tuple[str, str]]:
    """A task that is not done is of a paper that runs out, or of a dispatch beyond one."""
    watches = found.of_kind(CREDENTIAL_KIND, CredentialWatch)
    hidden = found.damaged.get(CREDENTIAL_KIND.name, set())
    for name, task in found.of_kind(TASK_KIND, TaskRecord).items():
        if task.kind in KINDS and is_open(task) and task.vendor not in hidden:
            watch = watches.get(task.vendor)
            if watch is None or name not in _tasks(watch):
                yield name, f"is {task.state.value}, and no paper of vendor {task.vendor} asks for it"


def _tasks(watch: CredentialWatch) -> set[str]:
    papers = {paper_task(watch.id, each.kind) for each in watch.papers}
    return papers | {dispatch_task(each) for each in watch.beyond}
