"""Episodes, as whoever submits and coordinates has them: put, read whole, requests in and out, let go."""

from __future__ import annotations

from collections.abc import AsyncIterator

from client.answers import about
from client.http import segment
from client.pages import pages
from client.posting import STORED
from client.threads import EpisodeThreads
from contracts.episode_views import EpisodePage, EpisodeSubmission, EpisodeSummary, EpisodeView
from contracts.episodes import EpisodeDraft, Note, Release
from contracts.request_views import RequestView
from contracts.vendors import Posted

EPISODES = "/episodes"
ACCEPTED = frozenset({202})


class EpisodeClient(EpisodeThreads):
    """Calls about episodes and their sequence."""

    async def submit_episode(self, whole: EpisodeSubmission, *, key: str | None = None) -> EpisodeView:
        """An episode with all its requests, durable together or not at all.

        After Unreachable, call again with the same `key`: one effect.
        """
        answer = await self.call("POST", EPISODES, EpisodeView, statuses=ACCEPTED, body=whole, key=key)
        return about(answer, answer.id, whole.id, f"POST {EPISODES}")

    async def put_episode(self, episode_id: str, draft: EpisodeDraft, *, version: str | None = None) -> int:
        """Make an episode, or change it: `version` is that which is replaced (`*`: whichever stands).

        Returns the version that it now has.
        """
        headers = {"If-Match": version} if version else {}
        path = _path(episode_id)
        return (await self.call("PUT", path, Posted, statuses=STORED, body=draft, headers=headers)).version

    async def episode(self, episode_id: str) -> EpisodeView:
        """Everything about an episode in one answer. Raises Problem 404."""
        return await self._episode("GET", episode_id)

    async def episodes(self) -> AsyncIterator[EpisodeSummary]:
        """All open episodes, the oldest first."""
        async for page in pages(self, EPISODES, EpisodePage, {}):
            for each in page.episodes:
                yield each

    async def add_to_episode(self, episode_id: str, request_id: str) -> EpisodeView:
        """A stored request into it; nothing changes when it is there."""
        return await self._episode("PUT", episode_id, f"/requests/{segment(request_id)}")

    async def remove_from_episode(self, episode_id: str, request_id: str) -> EpisodeView:
        """A request out of it; what it goes after and before stands."""
        return await self._episode("DELETE", episode_id, f"/requests/{segment(request_id)}")

    async def note_on_episode(self, episode_id: str, text: str, *, key: str | None = None) -> EpisodeView:
        """A word on it; encrypted at rest."""
        return await self._episode("POST", episode_id, "/notes", Note(text=text), key)

    async def release_request(self, request_id: str, predecessor_id: str | None = None) -> RequestView:
        """Go anyway: the request waits no more for one that goes before it (None: for any)."""
        path = f"/requests/{segment(request_id)}/release"
        view = await self.call("POST", path, RequestView, body=Release(request=predecessor_id))
        return about(view, view.id, request_id, f"POST {path}")

    async def _episode(
        self, method: str, episode_id: str, step: str = "", body: Note | None = None, key: str | None = None
    ) -> EpisodeView:
        path = f"{_path(episode_id)}{step}"
        view = await self.call(method, path, EpisodeView, body=body, key=key)
        return about(view, view.id, episode_id, f"{method} {path}")


def _path(episode_id: str) -> str:
    return f"{EPISODES}/{segment(episode_id)}"
