"""Documents of credentials: sent, sealed, seen by vendor and ops alone, verified anew, kept, audited."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from client.errors import Problem
from client.ops import OpsClient
from client.vendor import VendorClient
from contracts.codes import CredentialKind, Role
from contracts.instants import DAY_MS
from contracts.papers import MAX_DOCUMENT_BYTES
from dispatcher.audit.judge import judge
from dispatcher.audit.papers import judge_documents
from dispatcher.audit.proofs import judge_pictures
from dispatcher.blobs.folder import Folder
from dispatcher.domain import papers as domain
from dispatcher.domain.refusals import Unavailable
from dispatcher.jobs.papers import drop_over, remove_unnamed, seal_anew
from dispatcher.security.key_files import PatientKeyFile
from dispatcher.store.survey import survey
from tests.http.conftest import RING, Api
from tests.http.test_by_hand import VENDOR, add
from tests.http.test_privacy import everything_told, logged  # noqa: F401  (a fixture)
from tests.http.test_proofs import JPEG, PNG, served, tuned

PDF = b"%PDF-1.7\n" + b"CANARY-paper" * 20
KIND = "auto_insurance"
LAST = "2027-01-31"
PATH = f"/vendors/v1/credentials/{KIND}/document"
MEDIA = {b"\x89PNG": "image/png", b"\xff\xd8\xff\xe0": "image/jpeg", b"%PDF": "application/pdf"}


@pytest.fixture
async def town(api: Api) -> Api:
    """A vendor with one paper, claimed."""
    await add(api, "v1", credentials=[{"kind": KIND, "expires_on": LAST}])
    return api


async def send(
    api: Api, content: bytes, media: str = "", query: str = "", role: Role = Role.VENDOR, vendor: str = "v1"
) -> tuple[int, Any]:
    sent = api.headers(role, vendor if role is Role.VENDOR else "")
    sent["Content-Type"] = media or MEDIA[content[:4]]
    async with api.client.put(api.base + PATH + query, data=content, headers=sent) as answer:
        return answer.status, await answer.json(content_type=None)


async def get(
    api: Api, query: str = "", role: Role = Role.VENDOR, vendor: str = "v1"
) -> tuple[int, str, bytes]:
    sent = api.headers(role, vendor if role is Role.VENDOR else "")
    async with api.client.get(api.base + PATH + query, headers=sent) as answer:
        return answer.status, answer.content_type, await answer.read()


async def paper(api: Api) -> dict[str, Any]:
    """The vendor's paper as its document has it."""
    _, vendor = await api.call("GET", "/vendors/v1", role=Role.OPS)
    (found,) = vendor["credentials"]
    return found


async def verify(api: Api, **more: Any) -> tuple[int, Any]:
    named = {"kind": KIND, "expires_on": LAST} | more
    return await api.call("POST", "/vendors/v1/verify", {"credentials": [named]}, role=Role.OPS)


async def kept(api: Api, role: Role = Role.OPS) -> list[dict[str, Any]]:
    _, found = await api.call("GET", "/vendors/v1/documents", role=role)
    return found["documents"]


async def wrong(api: Api) -> list[str]:
    """What the audit finds, in short."""
    _, found = await judge_documents(api.store.servers, api.market, api.service.proofs.blobs)
    return [f"{each['subject']} {each['detail'].rpartition(',')[2].strip()}" for each in found]


async def is_sound(api: Api) -> bool:
    return not judge(await survey(api.store.reader, api.market)) and not await wrong(api)


async def test_a_document_is_sent_sealed_and_read_by_its_vendor_and_ops_alone(town: Api) -> None:
    for content in (PNG, JPEG, PDF):
        status, vendor = await send(town, content)
        (found,) = vendor["credentials"]
        assert (status, found["file"]["bytes"], found["file"]["by"]) == (200, len(content), "vendor:v1")
        assert await get(town) == (200, found["file"]["media"], content)
        assert (await get(town, role=Role.OPS))[2] == content
    for role in (Role.PLATFORM, Role.COORDINATOR, Role.CASE_MANAGER, Role.FACILITY):
        assert (await get(town, role=role))[0] == 403
        assert (await send(town, PNG, role=role))[0] == 403
        assert (await town.call("GET", "/vendors/v1/documents", role=role))[0] == 403
    assert (await get(town, vendor="v2"))[0] == (await send(town, PNG, vendor="v2"))[0] == 404
    blobs = town.service.proofs.blobs
    lying = [blobs.get(each.name) or b"" for each in blobs.under(town.market)]
    assert len(lying) == 3
    assert not any(b"CANARY" in each for each in lying)
    status, vendor = await send(town, PNG, role=Role.OPS)
    assert (status, vendor["credentials"][0]["file"]["by"]) == (200, "ops")
    assert await is_sound(town)


async def test_who_sent_and_who_looked_is_kept_once_an_hour(town: Api) -> None:
    await send(town, PDF)
    for _ in range(2):
        await get(town, role=Role.OPS)
        await get(town)
    _, found = await town.call("GET", "/audit?about=v1", role=Role.OPS)
    acts = sorted((each["act"], each["by"], each["detail"]) for each in found["acts"])
    about = f"{KIND}:{LAST}"
    assert [each for each in acts if "document" in each[0]] == [
        ("put_document", "vendor:v1", about),
        ("see_document", "ops", about),
        ("see_document", "vendor:v1", about),
    ]


@pytest.mark.parametrize(
    ("content", "media", "query", "told"),
    [
        (PNG, "application/pdf", "", (422, "does not begin like one")),
        (b"<svg/>", "image/png", "", (422, "image/png or image/jpeg or application/pdf")),
        (b"GIF89a", "image/gif", "", (415, "image/gif")),
        (b"", "image/png", "", (400, "the body is empty")),
        (PDF + bytes(MAX_DOCUMENT_BYTES), "application/pdf", "", (413, "fewer pixels")),
        (PDF, "application/pdf", "?expires_on=2027-02-01", (404, "claims no auto_insurance valid until")),
        (PDF, "application/pdf", "?expires_on=soon", (400, "expires_on")),
    ],
)
async def test_what_is_no_document_of_a_paper_is_refused_with_what_would_be(
    town: Api, content: bytes, media: str, query: str, told: tuple[int, str]
) -> None:
    status, problem = await send(town, content, media, query)
    assert status == told[0], problem
    assert told[1] in json.dumps(problem)
    assert town.service.proofs.blobs.under(town.market) == []
    assert (await paper(town)).get("file") is None


async def test_another_document_is_verified_anew_and_the_same_one_stays_verified(town: Api) -> None:
    await send(town, PDF)
    seen = (await paper(town))["file"]["sha256"]
    assert (await verify(town, sha256=seen))[0] == 200
    await send(town, PDF)
    assert (await paper(town))["verified"]["by"] == "ops"
    await send(town, PNG)
    assert (await paper(town)).get("verified") is None
    status, problem = await verify(town, sha256=seen)
    assert (status, problem["state"]) == (409, "another_document")
    assert "look" in problem["detail"]
    assert (await verify(town, sha256=(await paper(town))["file"]["sha256"]))[0] == 200
    assert [bool(each["over_at"]) for each in await kept(town)] == [False, True]
    assert await get(town, f"?sha256={seen}", role=Role.OPS) == (200, "application/pdf", PDF)
    assert (await get(town, f"?sha256={'0' * 64}"))[0] == 404


async def test_of_documents_that_come_all_at_once_none_is_left_that_nobody_names(town: Api) -> None:
    sent = await asyncio.gather(*(send(town, PDF + bytes([each])) for each in range(24)))
    assert {status for status, _ in sent} <= {200, 503}
    taken = sum(status == 200 for status, _ in sent)
    lying = town.service.proofs.blobs.under(town.market)
    assert taken == len(await kept(town)) == len(lying)


async def test_a_vendor_cannot_write_a_file_or_lose_it_by_sending_its_own_document(town: Api) -> None:
    await send(town, PDF)
    made_up = {
        "media": "image/png",
        "bytes": 1,
        "sha256": "0" * 64,
        "at": "2026-01-01T00:00:00Z",
        "by": "ops",
    }
    body = VENDOR | {"id": "v1", "credentials": [{"kind": KIND, "expires_on": LAST, "file": made_up}]}
    assert (await town.call("PUT", "/vendors/v1", body, role=Role.VENDOR, vendor="v1", If_Match="*"))[
        0
    ] == 200
    assert (await paper(town))["file"]["bytes"] == len(PDF)
    body["credentials"][0] |= {"document": "policy 7"}  # the same paper, better described
    assert (await town.call("PUT", "/vendors/v1", body, role=Role.VENDOR, vendor="v1", If_Match="*"))[
        0
    ] == 200
    assert (await paper(town))["file"]["bytes"] == len(PDF)
    body["credentials"] = [{"kind": KIND, "expires_on": "2028-01-31", "file": made_up}]
    assert (await town.call("PUT", "/vendors/v1", body, role=Role.VENDOR, vendor="v1", If_Match="*"))[
        0
    ] == 200
    assert (await paper(town)).get("file") is None
    assert (await get(town))[0] == 404


async def test_a_document_is_kept_for_its_days_after_its_last_valid_day_or_after_another_came(
    town: Api,
) -> None:
    await tuned(town, document_days=30)
    blobs = town.service.proofs.blobs
    await send(town, JPEG)
    await send(town, PDF)  # nobody had verified the other: it never mattered
    assert await drop_over(town.service, town.market) == 1
    await verify(town)
    await send(town, PNG)
    town.clock.ms += 29 * DAY_MS
    assert await drop_over(town.service, town.market) == 0
    town.clock.ms += 2 * DAY_MS
    assert await drop_over(town.service, town.market) == 1
    assert [each["file"]["media"] for each in await kept(town)] == ["image/png"]
    await verify(town)
    town.clock.ms = (domain.date.fromisoformat(LAST).toordinal() + 30 - domain.EPOCH) * DAY_MS
    assert await drop_over(town.service, town.market) == 0
    assert (await get(town))[0] == 200
    town.clock.ms += DAY_MS
    assert await drop_over(town.service, town.market) == 1
    assert (await get(town, role=Role.OPS))[0] == 404
    assert blobs.under(town.market) == []
    assert (await paper(town)).get("file") is None
    assert (await paper(town))["verified"]["by"] == "ops"
    assert await is_sound(town)


async def test_a_document_of_a_paper_that_was_taken_out_is_kept_for_its_days(town: Api) -> None:
    await tuned(town, document_days=30)
    await send(town, PDF)
    await town.call("PUT", "/vendors/v1", VENDOR | {"id": "v1"}, role=Role.OPS, If_Match="*")
    assert await drop_over(town.service, town.market) == 0
    (found,) = await kept(town)
    assert found["over_at"] is not None
    town.clock.ms += 31 * DAY_MS
    assert await drop_over(town.service, town.market) == 1
    assert await kept(town) == town.service.proofs.blobs.under(town.market) == []


async def test_the_audit_names_a_document_that_is_gone_cut_or_damaged_and_a_picture_that_is(
    town: Api, tmp_path: Path
) -> None:
    blobs = town.service.proofs.blobs = Folder(tmp_path)
    await send(town, PDF)
    (lying,) = blobs.under(town.market)
    whole = blobs.get(lying.name) or b""
    assert await wrong(town) == []
    for content, told in (
        (b"cut", "which is cut short"),
        (whole[:-1] + bytes([whole[-1] ^ 1]), "which is damaged"),
    ):
        blobs.put(lying.name, content)
        assert await wrong(town) == [f"v1 {told}"]
        assert (await get(town, role=Role.OPS))[0] == 500
    blobs.remove([lying.name])
    assert await wrong(town) == ["v1 which is not there"]
    assert (await get(town))[0] == 500
    assert (await send(town, PDF))[0] == 200  # the same once more: it is whole again
    assert await drop_over(town.service, town.market) == 1
    assert (await get(town), await wrong(town)) == ((200, "application/pdf", PDF), [])
    told, _ = await judge_pictures(town.store.servers, town.market, blobs)
    assert told["pictures_unnamed"] == 0


async def test_many_at_once_leave_one_and_those_that_it_replaced(town: Api) -> None:
    answers = await asyncio.gather(*(send(town, PDF + bytes([each])) for each in range(4)), verify(town))
    assert {status for status, _ in answers} <= {200, 503}
    documents = await kept(town)
    assert [bool(each["over_at"]) for each in documents].count(False) == 1
    assert await is_sound(town)


async def test_one_whose_commit_was_lost_is_sent_again_and_what_nobody_names_goes_after_a_month(
    town: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lost(*_: object, **__: object) -> None:
        raise Unavailable("the store does not answer\nMaybe ask again.", retry_after_s=1)

    with monkeypatch.context() as patch:
        patch.setattr(town.store.market(town.market).vendors, "replace", lost)
        assert (await send(town, PDF))[0] == 503
    assert (await paper(town)).get("file") is None
    assert (await send(town, PDF))[0] == 200
    blobs = town.service.proofs.blobs
    assert len(blobs.under(town.market)) == 2
    assert await remove_unnamed(town.service, town.market) == 0
    town.clock.ms += 33 * DAY_MS
    assert await remove_unnamed(town.service, town.market) == 1
    assert await get(town) == (200, "application/pdf", PDF)


async def test_a_patient_key_is_needed_until_documents_are_sealed_under_another(town: Api) -> None:
    await send(town, PDF)
    assert (await survey(town.store.reader, town.market)).sealed[RING.current].documents == 1
    town.store.vault.take(PatientKeyFile("other", {**RING.keys, "other": bytes(32)}))
    assert await seal_anew(town.service, town.market) == 1
    assert await seal_anew(town.service, town.market) == 0
    sealed = (await survey(town.store.reader, town.market)).sealed
    assert (sealed["other"].documents, RING.current in sealed) == (1, False)
    assert await get(town) == (200, "application/pdf", PDF)
    assert len(town.service.proofs.blobs.under(town.market)) == 1
    assert await is_sound(town)


async def test_more_documents_than_a_vendor_may_have_are_refused_before_they_are_kept(
    town: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(domain, "MOST_FILES", 2)
    await send(town, PDF)
    await send(town, PNG)
    status, problem = await send(town, JPEG)
    assert (status, problem["type"]) == (422, "/problems/invalid-request")
    assert len(town.service.proofs.blobs.under(town.market)) == 2
    assert await drop_over(town.service, town.market) == 1
    assert (await send(town, JPEG))[0] == 200


async def test_the_clients_send_and_read_them(town: Api) -> None:
    kind = CredentialKind.AUTO_INSURANCE
    async with (
        served(town, VendorClient, Role.VENDOR, "v1") as vendor,
        served(town, OpsClient, Role.OPS) as ops,
    ):
        told = await vendor.put_document("v1", kind, PDF)
        assert await ops.document("v1", kind) == PDF
        assert (await ops.verify("v1", told.credentials)).credentials[0].verified is not None
        await ops.put_document("v1", kind, PNG)
        with pytest.raises(Problem, match="look"):
            await ops.verify("v1", told.credentials)
        old, new = (await vendor.documents("v1")).documents[::-1]
        assert (old.file.media, new.file.media) == ("application/pdf", "image/png")
        assert await vendor.document("v1", kind, sha256=old.file.sha256) == PDF
        with pytest.raises(Problem, match="application/pdf"):
            await vendor.put_document("v1", kind, b"nothing of the kind")


async def test_what_a_document_holds_is_told_to_nobody_else_also_where_it_goes_wrong(
    town: Api,
    logged: list[str],  # noqa: F811
) -> None:
    await send(town, PDF)
    await get(town, role=Role.OPS)
    await send(town, PDF, "image/png")
    blobs = town.service.proofs.blobs
    (lying,) = blobs.under(town.market)
    blobs.put(lying.name, blobs.get(lying.name)[:-1] + b"x")  # type: ignore[index]
    assert (await get(town, role=Role.OPS))[0] == 500
    assert "CANARY" not in await everything_told(town) + "\n".join(logged)
