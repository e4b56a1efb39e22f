"""Proofs: given by who did the work, kept sealed, read by who may, and asked for where they are missing."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile
from datetime import date, timedelta
from typing import Any, TypeVar

import msgspec
import pytest

from client.care import CareClient
from client.errors import Problem
from client.http import Connection
from client.platform import PlatformClient
from client.vendor import VendorClient
from contracts.codes import Role
from contracts.instants import HOUR_MS, to_instant
from contracts.proofs import (
    MAX_GIVEN,
    MAX_PICTURE_BYTES,
    MAX_PICTURES,
    NotSigned,
    Picture,
    ProofPart,
    ProofReport,
    Signature,
)
from dispatcher.audit.judge import judge
from dispatcher.blobs.folder import Memory
from dispatcher.store.events import unpack_event
from dispatcher.store.survey import survey
from tests.domain import make
from tests.http.conftest import Api
from tests.http.test_offers import offer, offered
from tests.http.test_privacy import everything_told, logged  # noqa: F401  (a fixture)
from tests.http.test_threads import accepted, as_vendor

Client = TypeVar("Client", bound=Connection)
PROOF = "/dispatches/r1.1/proof"
PNG = b"\x89PNG\r\n\x1a\n" + b"CANARY-picture" * 10
JPEG = b"\xff\xd8\xff\xe0" + b"CANARY-photo" * 10
SIGNED = {"by": "CANARY Mr Wren", "relationship": "self"}
DOOR = [-73.97, 40.78]


async def put(
    api: Api,
    content: bytes,
    part: str = "dropoff",
    of: str = "signature",
    media: str = "image/png",
    vendor: str = "v1",
    role: Role = Role.VENDOR,
) -> tuple[int, Any]:
    """A picture, as a vendor sends it."""
    headers = {"Content-Type": media, **api.headers(role, vendor if role is Role.VENDOR else "")}
    path = f"{api.base}{PROOF}/{part}/blob?of={of}"
    async with api.client.put(path, data=content, headers=headers) as answer:
        return answer.status, await answer.json(content_type=None)


async def get(api: Api, part: str = "dropoff", query: str = "", **who: Any) -> tuple[int, str, bytes]:
    """A picture, as it is read."""
    role, vendor = who.get("role", Role.VENDOR), who.get("vendor", "v1")
    headers = api.headers(role, vendor if role is Role.VENDOR else "")
    async with api.client.get(f"{api.base}{PROOF}/{part}/blob{query}", headers=headers) as answer:
        return answer.status, answer.content_type, await answer.read()


def served(api: Api, form: type[Client], role: Role, vendor: str = "") -> Client:
    """A client of the library."""
    return form(str(api.client.make_url("/")), api.token(role, vendor=vendor), api.market)


async def taken(client: PlatformClient | VendorClient, day: date) -> zipfile.ZipFile:
    """A day's proofs."""
    return zipfile.ZipFile(io.BytesIO(b"".join([each async for each in client.proofs_of(day)])))


async def test_a_ride_is_proved_with_place_signature_and_picture_and_read_by_who_may(api: Api) -> None:
    await accepted(api)
    said = {"part": "dropoff", "position": DOOR, "odometer_miles": 81_234.5, "signature": SIGNED}
    status, proof = await as_vendor(api, "POST", PROOF, said)
    assert status == 200, proof
    assert [(each["number"], each["counts"]) for each in proof["parts"]] == [(1, True)]
    status, kept = await put(api, PNG)
    assert (status, kept["number"], kept["bytes"]) == (200, 1, len(PNG))
    assert await get(api) == (200, "image/png", PNG)
    assert await get(api, role=Role.OPS) == (200, "image/png", PNG)
    for role in (Role.PLATFORM, Role.COORDINATOR, Role.CASE_MANAGER, Role.OPS):
        status, seen = await api.call("GET", PROOF, role=role)
        assert (status, seen["parts"][0]["report"]["signature"]) == (200, SIGNED)
    assert (await api.call("GET", PROOF, role=Role.FACILITY))[0] == 403


async def test_a_time_at_which_it_cannot_have_been_is_refused_with_what_it_could_be(api: Api) -> None:
    """Nothing of it is kept; but for a minute by which clocks differ."""
    await accepted(api)
    now_ms = api.clock.now_ms()
    made, now = (f"{to_instant(each).isoformat()}" for each in (now_ms, now_ms + HOUR_MS))
    api.clock.ms = now_ms + HOUR_MS
    for minutes, words in ((-62, f"offered at {made}, not before"), (2, f"and it is {now}")):
        at = to_instant(api.clock.ms + minutes * 60_000).isoformat()
        status, problem = await as_vendor(api, "POST", PROOF, {"part": "dropoff", "at": at})
        assert (status, problem["type"]) == (422, "/problems/invalid-request"), problem
        assert problem["detail"].startswith(f"at is {at}, and "), problem["detail"]
        assert words in problem["detail"], problem["detail"]
        assert "left out, `at` is now" in problem["detail"]
    for minutes, kept in ((-30, -30), (0.5, 0), (-60.5, -60)):
        at = to_instant(api.clock.ms + round(minutes * 60_000)).isoformat()
        status, proof = await as_vendor(api, "POST", PROOF, {"part": "dropoff", "at": at})
        told = to_instant(api.clock.ms + kept * 60_000).isoformat().replace("+00:00", "Z")
        assert (status, proof["parts"][-1]["at"]) == (200, told)
    assert len(proof["parts"]) == 3


async def tuned(api: Api, **values: float) -> None:
    """The market with these parameters."""
    _, known = await api.call("GET", "/tuning", role=Role.OPS)
    version = f'"{known["version"]}"'
    status, told = await api.call("PUT", "/tuning", {"values": values}, role=Role.OPS, If_Match=version)
    assert status == 200, told
    api.service.markets.forget_tuning(api.market)


async def done(api: Api) -> None:
    """The work of r1 is over."""
    api.clock.ms += 26 * HOUR_MS
    status, told = await as_vendor(api, "POST", "/dispatches/r1.1/status", {"status": "completed"})
    assert status == 200, told


async def missing(api: Api) -> list[dict[str, Any]]:
    """The tasks about proof, done ones too."""
    found = []
    for state in ("open", "claimed", "done"):
        _, page = await api.call("GET", f"/tasks?state={state}", role=Role.OPS)
        found += [each for each in page["tasks"] if each["kind"] == "proof_missing"]
    return found


async def test_completed_without_the_proof_that_is_wanted_is_a_task_until_all_of_it_is_there(
    api: Api,
) -> None:
    await tuned(api, proof_ride_required=3)
    await accepted(api)
    await as_vendor(api, "POST", PROOF, {"part": "pickup"})
    await done(api)
    (task,) = await missing(api)
    assert (task["id"], task["owner"], task["state"]) == ("r1.1.proof_missing", "ops", "open")
    assert (task["offer_id"], task["code"]) == ("r1.1", "dropoff,dropoff_signature")
    assert (await as_vendor(api, "GET", PROOF))[1]["lacking"] == ["dropoff", "dropoff_signature"]
    await as_vendor(api, "POST", PROOF, {"part": "dropoff", "signature": SIGNED})
    (task,) = await missing(api)
    assert (task["state"], task["code"]) == ("open", "dropoff_signature")  # who signed is not the signature
    assert not judge(await survey(api.store.reader, api.market))
    assert (await put(api, PNG))[0] == 200
    (task,) = await missing(api)
    assert (task["state"], task["outcome"]) == ("done", "settled")
    assert (await as_vendor(api, "GET", PROOF))[1]["lacking"] == []
    assert not judge(await survey(api.store.reader, api.market))


async def test_why_nobody_signed_is_proof_too_and_where_none_is_wanted_there_is_no_task(api: Api) -> None:
    await accepted(api)
    await done(api)
    assert await missing(api) == []
    await tuned(api, proof_ride_required=3)  # what has ended is not looked at anew
    said = {"part": "dropoff", "signature": {"refused": "unable"}}
    assert (await as_vendor(api, "POST", PROOF, said))[1]["lacking"] == ["pickup"]
    assert await missing(api) == []


async def test_a_task_that_a_person_has_ended_stays_ended_when_some_of_the_proof_comes(api: Api) -> None:
    await tuned(api, proof_ride_required=2)
    await accepted(api)
    await done(api)
    assert (await api.call("POST", "/tasks/r1.1.proof_missing/finish", {}, role=Role.OPS))[0] == 200
    await as_vendor(api, "POST", PROOF, {"part": "pickup"})
    (task,) = await missing(api)
    assert (task["state"], task["outcome"]) == ("done", "resolved")
    assert not judge(await survey(api.store.reader, api.market))


async def test_a_position_away_from_the_door_is_noted_and_no_position_is_no_matter(api: Api) -> None:
    await accepted(api)
    here, there = list(make.trip("r1").dropoff.position), [0.0, 0.0]
    for position in (here, there, None):
        said = {"part": "dropoff"} | ({"position": position} if position else {})
        status, proof = await as_vendor(api, "POST", PROOF, said)
        assert status == 200, proof
    parts = proof["parts"]
    assert [each["outside"] for each in parts] == [False, True, False]
    assert parts[0]["apart_m"] == 0
    assert parts[1]["apart_m"] > 1_000_000
    assert parts[2]["apart_m"] is None
    assert [each["counts"] for each in parts] == [False, False, True]


async def test_said_again_it_stands_once_and_a_correction_keeps_what_was_said(api: Api) -> None:
    await accepted(api)
    first = {"part": "pickup", "odometer_miles": 10}
    for said in (first, first, first | {"odometer_miles": 11}, first):
        status, proof = await as_vendor(api, "POST", PROOF, said)
        assert status == 200, proof
    told = [(each["report"]["odometer_miles"], each["counts"]) for each in proof["parts"]]
    assert told == [(10, False), (11, False), (10, True)]
    for each in range(MAX_GIVEN):
        status, problem = await as_vendor(api, "POST", PROOF, first | {"odometer_miles": each + 20})
    assert (status, problem["type"]) == (422, "/problems/invalid-request")
    assert f"{MAX_GIVEN} times, the limit" in problem["detail"]


async def test_a_repeated_call_has_the_same_answer_and_another_body_under_its_key_is_refused(
    api: Api,
) -> None:
    await accepted(api)
    said = {"part": "pickup", "odometer_miles": 10}
    answers = [await as_vendor(api, "POST", PROOF, said, Idempotency_Key="k") for _ in range(2)]
    assert answers[0] == answers[1]
    assert (await as_vendor(api, "POST", PROOF, {"part": "pickup"}, Idempotency_Key="k"))[0] == 422


async def test_a_picture_put_again_is_there_once_and_another_is_the_next(api: Api) -> None:
    await accepted(api)
    kept = [await put(api, content) for content in (PNG, PNG, PNG + b"x")]
    assert [each["number"] for _, each in kept] == [1, 1, 2]
    assert (await get(api))[2] == PNG + b"x"
    assert (await get(api, query="?number=1"))[2] == PNG
    assert (await get(api, query="?number=3"))[0] == 404
    assert (await put(api, JPEG, of="photo", media="image/jpeg"))[0] == 200
    assert await get(api, query="?of=photo") == (200, "image/jpeg", JPEG)


ODD = {
    "another type than said": (JPEG, "image/png", 422),
    "no picture": (b"<svg onload=alert(1)>", "image/png", 422),
    "a type that is not taken": (b"GIF89a", "image/gif", 415),
    "a message": (b"{}", "application/json", 415),
    "nothing": (b"", "image/png", 400),
    "too large": (PNG + bytes(MAX_PICTURE_BYTES), "image/png", 413),
}


@pytest.mark.parametrize("case", ODD)
async def test_what_is_no_picture_is_refused_and_nothing_is_kept(api: Api, case: str) -> None:
    content, media, expected = ODD[case]
    await accepted(api)
    assert (await put(api, content, media=media))[0] == expected
    assert (await as_vendor(api, "GET", PROOF))[1]["pictures"] == []
    assert api.service.proofs.blobs.under(api.market) == []


@pytest.mark.parametrize("part", ["delivery", "nowhere"])
async def test_a_ride_has_no_delivery_and_no_part_that_nobody_knows(api: Api, part: str) -> None:
    await accepted(api)
    assert (await as_vendor(api, "POST", PROOF, {"part": part}))[0] == 422
    assert (await put(api, PNG, part=part))[0] in (400, 422)
    assert api.service.proofs.blobs.under(api.market) == []


async def test_pictures_beyond_the_limit_are_refused_before_they_lie_anywhere(api: Api) -> None:
    await accepted(api)
    answers = [await put(api, PNG + bytes([each])) for each in range(MAX_PICTURES + 2)]
    assert [status for status, _ in answers] == [200] * MAX_PICTURES + [422] * 2
    assert f"has {MAX_PICTURES} pictures, the limit" in answers[-1][1]["detail"]
    assert len(api.service.proofs.blobs.under(api.market)) == MAX_PICTURES


async def test_another_vendors_proof_is_a_404_in_the_words_for_one_that_is_not(api: Api) -> None:
    await accepted(api)
    await as_vendor(api, "POST", PROOF, {"part": "pickup", "signature": SIGNED})
    await put(api, PNG, part="pickup")
    for method, body in (("GET", None), ("POST", {"part": "pickup"})):
        status, problem = await as_vendor(api, method, PROOF, body, vendor="v2")
        _, absent = await as_vendor(api, method, PROOF.replace("r1", "r9"), body, vendor="v2")
        assert (status, problem["type"]) == (404, "/problems/not-found")
        assert problem["detail"].replace("r1.1", "r9.1") == absent["detail"]
    assert (await put(api, PNG, part="pickup", vendor="v2"))[0] == 404
    assert (await get(api, part="pickup", vendor="v2"))[0] == 404


async def test_who_gave_the_work_back_gives_no_proof_and_reads_what_it_gave(api: Api) -> None:
    await offered(api)
    assert (await as_vendor(api, "POST", PROOF, {"part": "pickup"}))[0] == 409
    assert (await as_vendor(api, "GET", PROOF))[0] == 409
    assert (await put(api, PNG, part="pickup"))[0] == 409
    await as_vendor(api, "POST", "/offers/r1.1/accept", {})
    await as_vendor(api, "POST", PROOF, {"part": "pickup", "signature": SIGNED})
    turned_back = {"status": "turned_back", "code": "NO_VEHICLES_AVAILABLE"}
    assert (await as_vendor(api, "POST", "/dispatches/r1.1/status", turned_back))[0] == 200
    assert (await as_vendor(api, "POST", PROOF, {"part": "dropoff"}))[0] == 409
    assert (await put(api, PNG))[0] == 409
    assert len((await as_vendor(api, "GET", PROOF))[1]["parts"]) == 1


async def test_what_is_proved_stands_in_no_log_stream_key_value_or_blob(
    api: Api,
    logged: list[str],  # noqa: F811
) -> None:
    await accepted(api)
    said = {"part": "dropoff", "position": DOOR, "signature": SIGNED}
    await as_vendor(api, "POST", PROOF, said)
    await as_vendor(api, "POST", PROOF, said | {"odometer_miles": "CANARY"})
    await put(api, PNG)
    await put(api, JPEG)  # not what it says
    await get(api)
    kept = api.service.proofs.blobs
    (blob,) = kept.under(api.market)
    told = await everything_told(api) + "\n".join(logged) + repr((blob, kept.get(blob.name)))
    assert "CANARY" not in told
    assert str(DOOR[0]) not in told


async def test_who_looked_is_kept_once_an_hour_for_each(api: Api) -> None:
    await accepted(api)
    await as_vendor(api, "POST", PROOF, {"part": "dropoff", "signature": SIGNED})
    await put(api, PNG)
    for _ in range(2):
        await api.call("GET", PROOF, role=Role.OPS)
        await get(api, role=Role.OPS)
        await api.call("GET", PROOF, role=Role.COORDINATOR)
    _, page = await api.call("GET", "/patient-reads?request_id=r1", role=Role.OPS)
    assert sorted(each["by"] for each in page["reads"] if each["by"] != "vendor:v1") == ["coordinator", "ops"]


async def test_a_proof_is_told_by_its_ids(api: Api) -> None:
    await accepted(api)
    await as_vendor(api, "POST", PROOF, {"part": "dropoff", "position": [0.0, 0.0], "signature": SIGNED})
    await put(api, PNG)
    keys = api.store.market(api.market).keys
    told = [unpack_event(each.event) for each in await api.store.streams.read(keys.events)]
    news = [each.data for each in told if each.type == "dispatch.proof.given"]
    ids = {"offer_id": "r1.1", "request_id": "r1", "vendor_id": "v1", "part": "dropoff"}
    assert news == [ids | {"outside": True}, ids | {"picture": "signature"}]


async def test_ops_writes_down_what_a_vendor_brings_on_paper_and_is_named(api: Api) -> None:
    await accepted(api)
    status, proof = await api.call("POST", PROOF, {"part": "dropoff"}, role=Role.OPS)
    assert (status, proof["parts"][0]["by"]) == (200, "ops")
    assert (await put(api, PNG, role=Role.OPS))[0] == 200
    _, page = await api.call("GET", "/audit", role=Role.OPS)
    assert {"give_proof", "attach_picture"} <= {each["act"] for each in page["acts"]}


async def test_a_day_is_taken_away_with_its_pictures_and_a_manifest_a_vendors_own(api: Api) -> None:
    await accepted(api)
    said = {"part": "dropoff", "position": DOOR, "signature": {"by": "=Wren", "relationship": "self"}}
    await as_vendor(api, "POST", PROOF, said)
    await put(api, PNG)
    await put(api, JPEG, of="photo", media="image/jpeg")
    day = date.fromisoformat((await as_vendor(api, "GET", PROOF))[1]["start_at"][:10])
    async with (
        served(api, VendorClient, Role.VENDOR, "v1") as mine,
        served(api, CareClient, Role.OPS) as every,
    ):
        for client in (mine, every):
            packed = await taken(client, day)
            assert packed.testzip() is None
            names = ["r1.1/dropoff-signature-1.png", "r1.1/dropoff-photo-1.jpg", "manifest.csv"]
            assert packed.namelist() == names
            assert [packed.read(each) for each in names[:2]] == [PNG, JPEG]
            rows = list(csv.DictReader(io.StringIO(packed.read(names[2]).decode())))
            assert [row["file"] for row in rows] == ["", *names[:2]]
            assert (rows[0]["signed_by"], rows[0]["part"], rows[0]["counts"]) == ("'=Wren", "dropoff", "yes")
            assert hashlib.sha256(PNG).hexdigest() == rows[1]["sha256"]
        for odd_day in (date.min, date.max, day + timedelta(days=1)):
            assert (await taken(every, odd_day)).namelist() == ["manifest.csv"]
    async with served(api, VendorClient, Role.VENDOR, "v2") as other:
        assert (await taken(other, day)).namelist() == ["manifest.csv"]
    _, page = await api.call("GET", "/patient-reads?request_id=r1", role=Role.OPS)
    assert "ops" in {each["by"] for each in page["reads"]}
    for odd in ("yesterday", ""):
        assert (await api.call("GET", f"/proofs?day={odd}", role=Role.OPS))[0] == 400


async def test_a_picture_that_is_lost_is_said_so_and_the_others_are_there(api: Api) -> None:
    await accepted(api)
    await put(api, PNG)
    await put(api, JPEG, of="photo", media="image/jpeg")
    kept = api.service.proofs.blobs
    (lost,) = [each.name for each in kept.under(api.market) if ".signature." in each.name]
    kept.remove([lost])
    status, _, body = await get(api)
    assert (status, json.loads(body)["type"]) == (500, "/problems/unreadable")
    assert (await get(api, query="?of=photo"))[0] == 200
    async with served(api, CareClient, Role.OPS) as client:
        day = (await client.proof("r1.1")).start_at.date()
        packed = await taken(client, day)
    assert packed.namelist() == ["r1.1/dropoff-photo-1.jpg", "manifest.csv"]
    rows = list(csv.DictReader(io.StringIO(packed.read("manifest.csv").decode())))
    assert [row["unreadable"] for row in rows] == ["yes", ""]


async def test_where_pictures_lie_is_away_the_caller_is_told_and_tries_again(api: Api) -> None:
    class Away(Memory):
        def put(self, name: str, content: bytes) -> None:
            raise OSError("s3://secret is away")

    await accepted(api)
    api.service.proofs.blobs = Away()
    status, problem = await put(api, PNG)
    assert (status, problem["type"]) == (503, "/problems/unavailable")
    assert "secret" not in json.dumps(problem)
    assert (await as_vendor(api, "GET", PROOF))[1]["pictures"] == []
    api.service.proofs.blobs = Memory()
    assert (await put(api, PNG))[0] == 200


async def test_the_clients_give_and_read_a_proof(api: Api) -> None:
    await accepted(api)
    async with (
        served(api, VendorClient, Role.VENDOR, "v1") as vendor,
        served(api, PlatformClient, Role.PLATFORM) as platform,
    ):
        report = ProofReport(part=ProofPart.PICKUP, signature=Signature(refused=NotSigned.DECLINED))
        assert (await vendor.give_proof("r1.1", report)).parts[0].report == report
        assert (await vendor.put_picture("r1.1", ProofPart.PICKUP, JPEG, Picture.PHOTO)).media == "image/jpeg"
        assert await platform.proof_picture("r1.1", ProofPart.PICKUP, Picture.PHOTO) == JPEG
        assert (await platform.proof("r1.1")).parts[0].report == report
        with pytest.raises(Problem, match="has 0 pictures"):
            await platform.proof_picture("r1.1", ProofPart.PICKUP, Picture.SIGNATURE)
        with pytest.raises(Problem) as refused:
            await vendor.put_picture("r1.1", ProofPart.PICKUP, b"nothing of the kind")
    assert refused.value.status == 422


async def test_equipment_is_proved_with_what_was_left_and_that_its_use_was_explained(api: Api) -> None:
    await tuned(api, proof_delivery_required=3)
    await offered(api)
    order = make.equipment("e1")
    assert (await api.call("POST", "/requests", msgspec.to_builtins(order)))[0] == 202
    name = await offer(api, "e1")
    assert (await as_vendor(api, "POST", f"/offers/{name}/accept", {}))[0] == 200
    path = f"/dispatches/{name}/proof"
    assert (await as_vendor(api, "GET", path))[1]["required"] == [
        "delivery",
        "delivery_signature",
        "instruction",
    ]
    left = {"item": "CANARY concentrator", "hcpcs": "E1390", "serial": "SN-1"}
    for odd in (
        left | {"quantity": 0},
        left | {"hcpcs": "oxygen"},
        left | {"serial": "a\nb"},
        left | {"item": " "},
    ):
        assert (await as_vendor(api, "POST", path, {"part": "delivery", "items": [odd]}))[0] == 422
    ride = {"part": "pickup", "items": [left]}
    assert (await as_vendor(api, "POST", path, ride))[0] == 422
    assert (await as_vendor(api, "POST", path, {"part": "delivery", "signature": {"by": "Wren"}}))[0] == 422
    api.clock.ms += 26 * HOUR_MS
    assert (await as_vendor(api, "POST", f"/dispatches/{name}/status", {"status": "completed"}))[0] == 200
    (task,) = await missing(api)
    assert task["code"] == "delivery,delivery_signature,instruction"
    door = list(order.place.position)
    said = {"part": "delivery", "items": [left], "instruction_given": True, "position": door}
    _, proof = await as_vendor(api, "POST", path, said | {"signature": {"refused": "declined"}})
    assert (proof["lacking"], proof["parts"][0]["apart_m"]) == ([], 0)
    assert proof["parts"][0]["report"]["items"] == [left]
    assert [each["state"] for each in await missing(api)] == ["done"]
    assert "CANARY" not in await everything_told(api)
