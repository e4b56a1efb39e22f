"""Bytes to message: the same from JSON and MessagePack, and never anything but a message or a refusal."""

from __future__ import annotations

import json
import re
import unittest.mock
from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts import codec
from contracts.amendments import Amend
from contracts.codec import JSON, MAX_DEPTH, MSGPACK, decode, encode, unpack
from contracts.episodes import Note
from contracts.geo import Circle, Polygon
from contracts.outside import UNREADABLE
from contracts.problems import Malformed, Problem, TooLarge, UnsupportedMediaType
from contracts.request_batch import RequestBatch
from contracts.requests import Request
from contracts.tasks import Comment
from contracts.threads import PostedMessage
from contracts.tuning import TuningUpdate
from contracts.vendors import Vendor

TEXTS = st.text(st.characters(codec="utf-8"), max_size=20).filter(lambda text: not UNREADABLE.search(text))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@given(VALUES)
def test_json_and_messagepack_unpack_to_the_same(value: Any) -> None:
    assert unpack(json.dumps(value).encode(), JSON) == unpack(msgpack.packb(value), MSGPACK) == value


@given(st.binary(max_size=200), st.sampled_from([JSON, MSGPACK]), st.sampled_from([Request, Vendor]))
def test_any_bytes_end_as_a_message_or_a_problem(body: bytes, media: str, form: Any) -> None:
    try:
        decode(body, form, media)
    except Problem as problem:
        assert 400 <= problem.status < 500
        encode(problem.members(), media)


@given(VALUES, st.sampled_from([JSON, MSGPACK]))
def test_any_value_ends_as_a_message_or_a_problem_that_names_a_place(value: Any, media: str) -> None:
    body = json.dumps(value).encode() if media == JSON else msgpack.packb(value)
    with pytest.raises(Problem) as refused:
        decode(body, Request, media)  # type: ignore[arg-type]
    assert "errors" in refused.value.facts


@pytest.mark.parametrize("media", [JSON, MSGPACK])
def test_the_depth_limit_is_exact(media: str) -> None:
    def nested(levels: int) -> bytes:
        value: Any = 1
        for _ in range(levels):
            value = [value]
        return json.dumps(value).encode() if media == JSON else bytes(msgpack.packb(value))

    unpack(nested(MAX_DEPTH), media)
    with pytest.raises(Malformed, match=str(MAX_DEPTH)):
        unpack(nested(MAX_DEPTH + 1), media)


def test_too_many_values_are_refused_however_small_the_body() -> None:
    with pytest.raises(TooLarge):
        unpack(json.dumps([0] * 300_000).encode())


def test_a_form_that_is_none_of_ours_is_refused() -> None:
    with pytest.raises(UnsupportedMediaType):
        unpack(b"", "text/xml")


def test_a_whole_float_is_an_integer_and_a_broken_one_is_not() -> None:
    assert decode(b'{"values": {"a": 5.0, "b": 5.5}}', TuningUpdate).values == {"a": 5.0, "b": 5.5}
    body = b'{"id": "v", "name": "V", "service_area": [{"kind": "circle", "centre": [1, 2], "radius_m": %b}]}'
    (area,) = decode(body % b"5653.0", Vendor).service_area
    assert isinstance(area, Circle)
    assert area.radius_m == 5653
    with pytest.raises(Problem, match=r"/service_area/0/radius_m.*5653\.5"):
        decode(body % b"5653.5", Vendor)


SUGGESTIONS: dict[str, tuple[dict[str, Any], str]] = {
    "a level nobody knows": ({"level_of_service": "flying"}, "Maybe one of: ambulatory, wheelchair, "),
    "a kind nobody knows": ({"kind": "batch"}, "Maybe one of: trip, equipment."),
    "a misspelt field": ({"pickup_windw": None}, "Maybe you meant `pickup_window`."),
    "a misspelt field further in": ({"needs": {"stair": 3}}, "Maybe you meant `stairs`."),
    "a field of few": ({"pickup": {"x": 1}}, "Maybe one of: position."),
    "the like of an order's": ({"window": {}}, "Maybe you meant `pickup_window`."),
    "an id that was left empty": ({"id": ""}, "Maybe it was left empty; this one takes: opaque id"),
    "an id that is another's": (
        {"id": "a b"},
        "Maybe it was meant for another field; this one takes: opaque",
    ),
    "an order's": ({"lines": []}, "Maybe its `kind` should be equipment: that one has `lines`."),
}


@pytest.mark.parametrize("case", SUGGESTIONS)
@pytest.mark.parametrize("batch", [False, True])
def test_an_error_says_what_the_place_does_take(case: str, batch: bool) -> None:
    changes, suggestion = SUGGESTIONS[case]
    place = {"position": [0, 0]}
    at = {"earliest": "2026-03-03T15:00:00Z", "latest": "2026-03-03T16:00:00Z"}
    body = {"kind": "trip", "id": "r1", "pickup": place, "dropoff": place, "pickup_window": at}
    body |= {"level_of_service": "als"} | changes
    sent: Any = {"requests": [body]} if batch else body
    form: Any = RequestBatch if batch else Request
    with pytest.raises(Problem) as refused:
        decode(json.dumps(sent).encode(), form)
    assert refused.value.detail.split("\n")[1].startswith(suggestion)
    assert "regex" not in refused.value.detail  # a person reads it; the pattern stands in /openapi.json


PLACES: dict[str, tuple[Any, str]] = {
    "lat and lon": ({"lat": 40.7, "lon": -74.0}, '{"position": [-73.97, 40.78]}'),
    "lat and lng": ({"lat": 40.7, "lng": -74.0}, '{"position": [-73.97, 40.78]}'),
    "a GeoJSON point": ({"type": "Point", "coordinates": [-74.0, 40.7]}, '{"position": [-73.97, 40.78]}'),
    "numbers alone": ([-74.0, 40.7], '{"position": [-73.97, 40.78]}'),
    "an address": ("1 Example Street", '{"position": [-73.97, 40.78]}'),
    "a position with names": ({"position": {"lat": 40.7, "lng": -74.0}}, "Maybe as [-73.97, 40.78]:"),
    "a position as a point": ({"position": {"type": "Point", "coordinates": [1, 2]}}, "Maybe as [-73.97, "),
    "a position as text": ({"position": "40.7,-74.0"}, "Maybe as [-73.97, 40.78]:"),
    "a position with a height": ({"position": [-74.0, 40.7, 12.0]}, "Maybe as [-73.97, 40.78]:"),
}


@pytest.mark.parametrize("case", PLACES)
def test_a_place_in_another_form_is_told_ours(case: str) -> None:
    place, form = PLACES[case]
    with pytest.raises(Problem) as refused:
        decode(json.dumps({"pickup": place}).encode(), Amend)
    remedy = refused.value.detail.split("\n")[1]
    assert form in remedy
    assert "a position is [lon, lat]" in remedy


RING = [[-74.0, 40.7], [-73.9, 40.7], [-73.9, 40.8], [-74.0, 40.7]]
AREAS: dict[str, Any] = {
    "GeoJSON": [{"type": "Polygon", "coordinates": [RING]}],
    "several polygons": [{"type": "MultiPolygon", "coordinates": [[RING]]}],
    "a feature": [{"type": "Feature", "properties": {}, "geometry": {"type": "Polygon"}}],
    "half and half": [{"kind": "polygon", "coordinates": [RING]}],
    "corners alone": [RING],
    "no list": {"type": "FeatureCollection", "features": []},
    "one area": {"kind": "polygon", "ring": RING},
}


@pytest.mark.parametrize("case", AREAS)
def test_an_area_in_another_form_is_told_ours_which_is_taken(case: str) -> None:
    with pytest.raises(Problem) as refused:
        decode(json.dumps({"id": "v", "name": "V", "service_area": AREAS[case]}).encode(), Vendor)
    assert refused.value.facts["errors"][0].pointer.startswith("/service_area")
    remedy = refused.value.detail.split("\n")[1]
    shown = re.findall(r'\{"kind".*?\}', remedy)
    body = {"id": "v", "name": "V", "service_area": [json.loads(each) for each in shown]}
    assert [type(each) for each in decode(json.dumps(body).encode(), Vendor).service_area] == [
        Polygon,
        Circle,
    ]


def test_what_is_missing_is_told_with_the_values_it_may_have() -> None:
    with pytest.raises(Problem, match=r"`kind`\nMaybe one of: trip, equipment\."):
        decode(b'{"id": "r1"}', Request)
    answer = b'{"id": "v", "name": "V", "answer": {"mode": "assumed", "time_limit_s": 60}}'
    with pytest.raises(Problem) as refused:
        decode(answer, Vendor)
    assert refused.value.detail.split("\n")[1] == (
        "Maybe its `mode` should be explicit: that one has `time_limit_s`."
    )


def test_an_error_names_place_value_limit_and_remedy() -> None:
    with pytest.raises(Problem) as refused:
        decode(b'{"id": "v", "name": "V", "service_area": [], "max_stairs": 900}', Vendor)
    assert refused.value.detail.startswith("/service_area: Expected `array` of length >= 1")
    with pytest.raises(Problem) as refused:
        area = b'"service_area": [{"kind": "circle", "centre": [1, 200], "radius_m": 5}]'
        decode(b'{"id": "v", "name": "V", %b}' % area, Vendor)
    first, second = refused.value.detail.split("\n")
    assert first == "/service_area/0/centre/1: Expected `float` <= 90.0; it is 200"
    assert second.startswith("Maybe")
    assert "[lon, lat]" in second


def test_an_error_on_a_length_names_the_length_and_never_the_value() -> None:
    body = json.dumps({"requests": [{}] * 1_001}).encode()
    with pytest.raises(Problem) as refused:
        decode(body, RequestBatch)
    assert refused.value.detail.startswith("/requests: Expected `array` of length <= 1000; it has 1,001\n")


ODD = [
    "",
    "a",
    "\x1f",
    "\\u0000",
    "\\ud800",
    "\x7f",
    "\u202e",
    "é",
    "[",
    "{",
    "\\n",
    "1e999",
    "-1e999",
    "NaN",
]


@given(st.recursive(st.sampled_from(ODD), lambda each: st.lists(each, max_size=4), max_leaves=60))
def test_what_a_plain_body_skips_would_have_found_nothing(value: Any) -> None:
    text = json.dumps(value, ensure_ascii=False)
    for old, new in (('"1e999"', "1e999"), ('"-1e999"', "-1e999"), ('"NaN"', "NaN"), ("\\\\", "\\")):
        text = text.replace(old, new)
    body = text.encode("utf-8")
    told = []
    for plain in (codec._is_plain, lambda _: False):
        with unittest.mock.patch.object(codec, "_is_plain", plain):
            try:
                told.append(("taken", codec.unpack(body)))
            except Problem as problem:
                told.append((type(problem).__name__, problem.detail))
    assert told[0] == told[1]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xyz ")), max_size=5))
def test_a_key_that_stands_twice_is_refused_however_the_body_is_read(pairs: list[tuple[str, str]]) -> None:
    body = ("{" + ",".join(f'"{key}" : "{value}"' for key, value in pairs) + "}").encode()
    if len({key for key, _ in pairs}) == len(pairs):
        assert codec.unpack(body) == dict(pairs)
    else:
        with pytest.raises(Problem, match="twice"):
            codec.unpack(body)


@pytest.mark.parametrize("form", [Comment, Note, PostedMessage])
@pytest.mark.parametrize("text", [" ", "\n\t", "\u3164"])
def test_a_word_that_shows_nothing_is_refused(form: type[Comment], text: str) -> None:
    with pytest.raises(Problem, match="/text: a text of nothing but blanks"):
        decode(json.dumps({"text": text}).encode(), form)
    assert decode(json.dumps({"text": f"{text}ja"}).encode(), form).text == f"{text}ja"
