"""Messages on a dispatch: what both its vendor and the platform's people do with them."""

from __future__ import annotations

from client.answers import about
from client.http import Connection, segment
from contracts.threads import MessageView, PostedMessage, ReadMark, ReadUpTo, ThreadView


class Threads(Connection):
    """Calls with a `vendor`, `platform` or `ops` token."""

    async def messages(self, offer_id: str, *, after: int = 0) -> ThreadView:
        """The messages on a dispatch behind number `after`, and who has read up to where.

        Raises Problem 404 for another vendor's, 409 for a vendor before it accepted and after it gave back.
        """
        path, behind = _messages(offer_id), {"after": str(after)} if after else None
        thread = await self.call("GET", path, ThreadView, params=behind)
        return about(thread, thread.id, offer_id, f"GET {path}")

    async def post_message(self, offer_id: str, text: str, *, key: str | None = None) -> MessageView:
        """Write to the other parties. After Unreachable, call again with the same `key`: one message."""
        body = PostedMessage(text=text)
        return await self.call("POST", _messages(offer_id), MessageView, body=body, key=key)

    async def mark_read(self, offer_id: str, number: int | None = None) -> ReadMark:
        """Say up to which message you have read; None: all there are."""
        return await self.call("POST", f"{_messages(offer_id)}/read", ReadMark, body=ReadUpTo(number=number))


def _messages(offer_id: str) -> str:
    return f"/dispatches/{segment(offer_id)}/messages"
