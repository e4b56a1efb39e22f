"""Messages: on a dispatch, with its vendor; on an episode, among those who care for it."""

from __future__ import annotations

from client.answers import about
from client.http import Connection, segment
from contracts.threads import MessageView, PostedMessage, ReadMark, ReadUpTo, ThreadView


class Threads(Connection):
    """Calls with a token of any role: about a dispatch."""

    async def messages(self, offer_id: str, *, after: int = 0) -> ThreadView:
        """The messages on a dispatch behind number `after`, and who has read up to where.

        Raises Problem 404 for another vendor's, 409 for a vendor before it accepted and after it gave back.
        """
        return await _read(self, _of_dispatch(offer_id), offer_id, after)

    async def post_message(self, offer_id: str, text: str, *, key: str | None = None) -> MessageView:
        """Write to the other parties. After Unreachable, call again with the same `key`: one message."""
        return await _post(self, _of_dispatch(offer_id), text, key)

    async def mark_read(self, offer_id: str, number: int | None = None) -> ReadMark:
        """Say up to which message you have read; None: all there are."""
        return await _mark(self, _of_dispatch(offer_id), number)


class EpisodeThreads(Connection):
    """Calls with a token of any role but a vendor's: about an episode."""

    async def episode_messages(self, episode_id: str, *, after: int = 0) -> ThreadView:
        """The messages on an episode behind number `after`, and who has read up to where."""
        return await _read(self, _of_episode(episode_id), episode_id, after)

    async def post_episode_message(
        self, episode_id: str, text: str, *, key: str | None = None
    ) -> MessageView:
        """Write to who else cares for it. After Unreachable, call again with the same `key`: one message."""
        return await _post(self, _of_episode(episode_id), text, key)

    async def mark_episode_read(self, episode_id: str, number: int | None = None) -> ReadMark:
        """Say up to which message you have read; None: all there are."""
        return await _mark(self, _of_episode(episode_id), number)


async def _read(connection: Connection, path: str, name: str, after: int) -> ThreadView:
    behind = {"after": str(after)} if after else None
    thread = await connection.call("GET", path, ThreadView, params=behind)
    return about(thread, thread.id, name, f"GET {path}")


async def _post(connection: Connection, path: str, text: str, key: str | None) -> MessageView:
    return await connection.call("POST", path, MessageView, body=PostedMessage(text=text), key=key)


async def _mark(connection: Connection, path: str, number: int | None) -> ReadMark:
    return await connection.call("POST", f"{path}/read", ReadMark, body=ReadUpTo(number=number))


def _of_dispatch(offer_id: str) -> str:
    return f"/dispatches/{segment(offer_id)}/messages"


def _of_episode(episode_id: str) -> str:
    return f"/episodes/{segment(episode_id)}/messages"
