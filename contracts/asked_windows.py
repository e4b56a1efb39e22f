"""A wider window that the platform is asked for: when its patient can go, only it can say."""

from __future__ import annotations

from contracts.base import Id, Wire
from contracts.event_types import event
from contracts.geo import Window, WindowView
from contracts.streams import To
from contracts.tasks import TaskId


class AskWindow(Wire):
    """The window that would do: all of what the request has now, and more."""

    window: Window


@event("dispatch.request.window_asked", to=To.EVENTS)
class WindowAsked(Wire):
    """Dispatchers ask for a wider window: amend the request, or finish the task with what you say instead."""

    request_id: Id
    task_id: TaskId
    window: WindowView  # that is asked for
    now: WindowView  # that it has
    by: str = ""
