"""Pictures below the map: none unless a setting names who gives them, and then from there alone."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from dispatcher.console.pages import headers_of
from dispatcher.runtime.urls import TilesUrl
from dispatcher.settings import Settings, SettingsError
from tests.console.conftest import SHARED, Desk

pytestmark = SHARED
URL = "https://tiles.example/{z}/{x}/{y}.png"
NAME = "DISPATCHER_MAP_TILES"


async def test_the_policy_lets_pictures_come_from_the_setting_alone(desk: Desk) -> None:
    before = headers_of(desk.parts)["Content-Security-Policy"]
    assert "img-src 'self' data: blob:;" in before
    told = headers_of(replace(desk.parts, map_tiles=TilesUrl.parse(URL)))["Content-Security-Policy"]
    assert told == before.replace("blob:;", "blob: https://tiles.example;")


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("https://tiles.example/map.png", "it lacks {z}, {x}, {y}"),
        ("http://tiles.example/{z}/{x}/{y}.png", "https://"),
        ("https://me:secret@tiles.example/{z}/{x}/{y}.png", "no plain host"),
        ("https://{s}.tiles.example/{z}/{x}/{y}.png", "no plain host"),
        ("https://tiles.example;script-src*/{z}/{x}/{y}", "no plain host"),
        ("https:///{z}/{x}/{y}", "names no host"),
    ],
)
async def test_a_setting_that_is_no_place_of_pictures_is_refused_in_words(url: str, says: str) -> None:
    with pytest.raises(SettingsError) as refused:
        Settings.read({NAME: url})
    assert says in str(refused.value)
    assert NAME in str(refused.value)
    assert Settings.read({NAME: URL}).map_tiles == URL
