"""The public client does with episodes what the routes do."""

from __future__ import annotations

from datetime import timedelta

from client.platform import PlatformClient
from contracts.codes import LevelOfService, Role
from contracts.episode_views import EpisodeSubmission
from contracts.episodes import After, Edge, EpisodeDraft
from contracts.geo import Place, Window
from contracts.requests import TripRequest
from tests.http.conftest import NOW, Api


def ride(name: str, *before: str) -> TripRequest:
    at = NOW + timedelta(days=1)
    return TripRequest(
        id=name,
        pickup=Place(position=(-73.97, 40.78)),
        dropoff=Place(position=(-73.95, 40.76)),
        level_of_service=LevelOfService.WHEELCHAIR,
        pickup_window=Window(earliest=at, latest=at + timedelta(hours=3)),
        after=tuple(After(request=each) for each in before),
    )


async def test_a_platform_keeps_an_episode_with_the_client(api: Api) -> None:
    url = str(api.client.make_url("/"))
    async with PlatformClient(url, api.token(Role.PLATFORM), api.market) as client:
        whole = await client.submit_episode(
            EpisodeSubmission(id="home", requests=(ride("a"), ride("b", "a"))), key="once"
        )
        assert [each.id for each in whole.requests] == ["a", "b"]
        await client.submit(ride("c"))
        await client.add_to_episode("home", "c")
        draft = EpisodeDraft(requests=("a", "b", "c"), sequence=(Edge(before="b", after="c"),))
        assert await client.put_episode("home", draft, version="*") == 3
        assert (await client.note_on_episode("home", "a word")).notes[0].text == "a word"
        assert (await client.release_request("c", "b")).after == ()
        assert [each.id async for each in client.episodes()] == ["home"]
        left = await client.remove_from_episode("home", "c")
        assert [each.id for each in left.requests] == ["a", "b"]
        assert [(each.before, each.after) for each in (await client.episode("home")).sequence] == [("a", "b")]
