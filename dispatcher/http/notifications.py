"""Notifications: those to come and those that failed, by id; sent again by ops."""

from __future__ import annotations

from contracts.base import Id
from contracts.codes import Role
from contracts.notifications import NotificationPage, NotificationQuery, NotificationView
from contracts.operations import Answer
from dispatcher.domain.commands.notifications import SendNotificationAgain
from dispatcher.domain.notifications import NOTIFICATION_KIND, view
from dispatcher.http.call import Call, Reply
from dispatcher.http.commands import execute
from dispatcher.http.parts import Parts
from dispatcher.http.routing import MARKET, Routes
from dispatcher.store.listing import Cursor

NOTIFICATIONS = f"{MARKET}/notifications"
ROUTES = Routes("notifications", 84, notification_id=Id)


@ROUTES.get(
    NOTIFICATIONS,
    id="listNotifications",
    roles={Role.OPS},
    query=NotificationQuery,
    answers={200: Answer("a page", NotificationPage)},
)
async def list_notifications(call: Call, parts: Parts) -> Reply:
    """List notifications that failed, are due or planned; neither whom they reach nor what they say."""
    query: NotificationQuery = call.query
    records = parts.service.records(call.principal, call.market, NOTIFICATION_KIND)
    name = f"notifications:{query.state.value}"
    found, cursor = await records.page([name], Cursor.parse(query.cursor or None), query.limit)
    shown = tuple(view(each) for each in found if each.state.value == query.state.value)
    return Reply(NotificationPage(notifications=shown, cursor=cursor or ""))


@ROUTES.post(
    f"{NOTIFICATIONS}/{{notification_id}}/send-again",
    id="sendNotificationAgain",
    command=SendNotificationAgain,
    answers={200: Answer("the notification, due now", NotificationView)},
    problems=("wrong-state",),
)
async def send_again(call: Call, parts: Parts) -> Reply:
    """Send a notification again that failed, as long as it says something new."""
    command = SendNotificationAgain(notification_id=call.path["notification_id"])
    return Reply(view(await execute(call, parts, command)))
