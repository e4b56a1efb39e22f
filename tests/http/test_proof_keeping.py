"""Proofs outlive their requests for years, lie in a folder or an object store, and are audited there."""

from __future__ import annotations

import asyncio
import io
import json
import threading
import zipfile
from pathlib import Path

import pytest
from aiohttp import ClientError

from contracts.codes import Role
from contracts.instants import DAY_MS, HOUR_MS
from dispatcher.audit.judge import judge
from dispatcher.audit.proofs import RULE, judge_pictures
from dispatcher.blobs.folder import Folder, Memory
from dispatcher.blobs.objects import Objects
from dispatcher.blobs.port import Blob
from dispatcher.cli import main
from dispatcher.domain.context import Context
from dispatcher.domain.proofs import PROOF_KIND, due
from dispatcher.domain.refusals import Unavailable
from dispatcher.jobs import proofs as proof_jobs
from dispatcher.jobs.proofs import drop_over, keep_proofs, remove_unnamed, seal_anew
from dispatcher.jobs.timers import Timers
from dispatcher.security.key_files import PatientKeyFile
from dispatcher.service import proofs as kept_in
from dispatcher.store.survey import survey
from tests.bucket import bucket, object_store  # noqa: F401  (fixtures)
from tests.http.conftest import RING, Api
from tests.http.test_proofs import JPEG, PNG, PROOF, SIGNED, done, get, missing, put, tuned
from tests.http.test_threads import accepted, as_vendor


async def fired(api: Api) -> None:
    """All that is due."""
    timers = Timers(api.service)
    while await timers.fire_due(api.market):
        pass


async def pictures(api: Api) -> list[str]:
    """What the audit finds of them."""
    _, found = await judge_pictures(api.store.servers, api.market, api.service.proofs.blobs)
    return [f"{each['subject']} {each['detail'].partition(',')[2]}" for each in found]


async def test_a_proof_outlives_its_request_and_goes_with_its_pictures_when_its_time_is_over(
    api: Api,
) -> None:
    await tuned(api, proof_days=30)
    await accepted(api)
    await as_vendor(api, "POST", PROOF, {"part": "dropoff", "signature": SIGNED})
    await put(api, PNG)
    await done(api)
    api.clock.ms += 80 * HOUR_MS
    await fired(api)
    assert (await api.call("GET", "/requests/r1", role=Role.OPS))[0] == 404
    assert (await api.call("GET", PROOF, role=Role.OPS))[1]["parts"][0]["report"]["signature"] == SIGNED
    assert (await get(api, role=Role.OPS))[0] == 200
    assert (await as_vendor(api, "POST", PROOF, {"part": "pickup"}))[0] == 404
    assert judge(await survey(api.store.reader, api.market)) == []
    await tuned(api, proof_days=40)
    api.clock.ms += 30 * DAY_MS
    await fired(api)  # the tuning wants it kept for longer
    assert await drop_over(api.service, api.market) == 0
    assert (await api.call("GET", PROOF, role=Role.OPS))[0] == 200
    api.clock.ms += 11 * DAY_MS
    await fired(api)
    assert (await api.call("GET", PROOF, role=Role.OPS))[0] == 404
    assert judge(await survey(api.store.reader, api.market)) == []
    assert len(api.service.proofs.blobs.under(api.market)) == 1
    assert await drop_over(api.service, api.market) == 1
    assert api.service.proofs.blobs.under(api.market) == []
    await fired(api)
    assert (await survey(api.store.reader, api.market)).of_kind(PROOF_KIND, PROOF_KIND.form) == {}


async def test_the_audit_names_what_a_proof_names_and_is_not_there_or_cut(api: Api, tmp_path: Path) -> None:
    kept = api.service.proofs.blobs = Folder(tmp_path, durable=True)
    await accepted(api)
    await put(api, PNG)
    await put(api, JPEG, of="photo", media="image/jpeg")
    assert await pictures(api) == []
    photo, signature = sorted(each.name for each in kept.under(api.market))
    kept.remove([photo])
    whole = (tmp_path / signature).read_bytes()
    (tmp_path / signature).write_bytes(b"cut")
    assert await pictures(api) == ["r1.1.proof  which is cut short", "r1.1.proof  which is not there"]
    (tmp_path / signature).write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert await pictures(api) == ["r1.1.proof  which is not there", "r1.1.proof  which is damaged"]
    assert (await put(api, PNG))[0] == 200  # the same once more
    assert (await put(api, JPEG, of="photo", media="image/jpeg"))[0] == 200
    assert await pictures(api) == []
    assert await get(api) == (200, "image/png", PNG)
    assert len((await api.call("GET", PROOF, role=Role.OPS))[1]["pictures"]) == 2


async def test_the_command_audit_looks_at_pictures_too(
    api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = api.service.proofs.blobs = Folder(tmp_path)
    await accepted(api)
    await put(api, PNG)
    monkeypatch.setenv("DISPATCHER_PROOFS", str(tmp_path))
    words = ["audit", "--url", api.store.url, "--market", api.market, "--settle", "0", "--json"]
    capsys.readouterr()  # what was logged
    assert await asyncio.to_thread(main, words) == 0
    (report,) = json.loads(capsys.readouterr().out)
    assert (report["proofs"], report["pictures"], report["pictures_unnamed"]) == (1, 1, 0)
    kept.remove([each.name for each in kept.under(api.market)])
    assert await asyncio.to_thread(main, words) == 1
    (report,) = json.loads(capsys.readouterr().out)
    assert [each["rule"] for each in report["findings"]] == [RULE]


async def test_an_offer_and_its_proof_agree_or_the_audit_says_so(api: Api) -> None:
    await accepted(api)
    await as_vendor(api, "POST", PROOF, {"part": "dropoff"})
    found = await survey(api.store.reader, api.market)
    assert judge(found) == []
    found.records["proof"] = {}
    assert ("proofs", "r1.1.proof") in {(each.rule, each.subject) for each in judge(found)}


@pytest.mark.parametrize(("days", "after"), [(30, 33), (2_555, 31), (2_555, 2_557)])
async def test_a_picture_that_no_record_names_is_told_and_goes_after_a_month(
    api: Api, days: int, after: int
) -> None:
    """Or, where nobody looked then, when its time is over."""
    await tuned(api, proof_days=days)
    await accepted(api)
    await put(api, PNG)
    kept = api.service.proofs.blobs
    (named,) = [each.name for each in kept.under(api.market)]
    kept.put(named.replace("r1.1", "r9.1"), b"its process died then")
    told, found = await judge_pictures(api.store.servers, api.market, kept)
    assert (told["pictures_unnamed"], found) == (1, [])
    assert await remove_unnamed(api.service, api.market) == 0
    api.clock.ms += (min(after, 31) - 1) * DAY_MS
    assert await remove_unnamed(api.service, api.market) == 0, "a backup of then may be restored"
    api.clock.ms += (after - min(after, 31) + 1) * DAY_MS
    assert await remove_unnamed(api.service, api.market) == 1
    assert [each.name for each in kept.under(api.market)] == [named]


async def test_a_picture_of_work_that_is_given_back_while_it_is_put_is_not_left_behind(api: Api) -> None:
    loop, status = asyncio.get_running_loop(), {"status": "turned_back"}

    class GivenBack(Memory):
        """In the middle of it another phone of the vendor gives the work back."""

        def put(self, name: str, content: bytes) -> None:
            super().put(name, content)
            calls = as_vendor(api, "POST", "/dispatches/r1.1/status", status)
            assert asyncio.run_coroutine_threadsafe(calls, loop).result(30)[0] == 200

    kept = api.service.proofs.blobs = GivenBack()
    await accepted(api)
    code, problem = await put(api, PNG)
    assert (code, problem["type"]) == (409, "/problems/wrong-state"), problem
    assert kept.under(api.market) == []


async def test_the_same_picture_again_after_another_and_twice_at_once_damages_none(api: Api) -> None:
    await accepted(api)
    both = await asyncio.gather(put(api, PNG), put(api, PNG))
    assert [status for status, _ in both] == [200, 200]
    assert await pictures(api) == []
    for content, media in ((JPEG, "image/jpeg"), (PNG, "image/png")):
        assert (await put(api, content, media=media))[0] == 200
    assert await pictures(api) == []
    assert len(api.service.proofs.blobs.under(api.market)) == 3


async def test_a_patient_key_is_needed_until_all_proofs_are_sealed_under_another(api: Api) -> None:
    await accepted(api)
    before = (await survey(api.store.reader, api.market)).sealed[RING.current].proofs
    await as_vendor(api, "POST", PROOF, {"part": "dropoff"})
    await put(api, PNG)
    sealed = (await survey(api.store.reader, api.market)).sealed[RING.current]
    assert (before, sealed.proofs) == (0, 2)
    api.store.vault.take(PatientKeyFile("other", {"other": bytes(32)}))
    assert (await as_vendor(api, "GET", PROOF))[0] == 503
    assert (await get(api))[0] == 503
    assert await seal_anew(api.service, api.market) == 0  # nobody can
    api.store.vault.take(PatientKeyFile("other", {**RING.keys, "other": bytes(32)}))
    assert await seal_anew(api.service, api.market) == 1
    assert await seal_anew(api.service, api.market) == 0
    assert (await survey(api.store.reader, api.market)).sealed["other"].proofs == 2
    assert (await survey(api.store.reader, api.market)).sealed[RING.current].proofs == 0
    assert (await as_vendor(api, "GET", PROOF))[0] == 200
    assert await get(api) == (200, "image/png", PNG)


async def test_pictures_lie_in_a_bucket_as_in_a_folder_and_one_that_is_not_there_is_a_503(
    api: Api,
    bucket: str,  # noqa: F811
) -> None:
    kept = api.service.proofs.blobs = Objects(bucket)
    await tuned(api, proof_days=30)
    await accepted(api)
    assert (await put(api, PNG))[0] == 200
    assert await get(api) == (200, "image/png", PNG)
    (blob,) = kept.under(api.market)
    assert PNG not in (kept.get(blob.name) or b"")
    assert await pictures(api) == []
    api.clock.ms += 40 * DAY_MS
    await fired(api)
    assert await drop_over(api.service, api.market) == 1
    assert kept.under(api.market) == []
    api.service.proofs.blobs = Objects("s3://nowhere")
    status, problem = await put(api, JPEG, media="image/jpeg")
    assert (status, problem["type"]) == (503, "/problems/unavailable")
    assert "nowhere" not in json.dumps(problem)


class Away(Memory):
    """A place that does not answer."""

    def under(self, folder: str) -> list[Blob]:
        raise OSError("it is away")


async def test_a_place_that_is_away_is_told_before_anybody_sends_a_picture(api: Api) -> None:
    api.service.proofs.blobs = Away()
    with pytest.raises(Unavailable, match="where proofs are kept does not answer"):
        await keep_proofs(api.service, api.market)


async def test_pictures_go_by_no_clock_that_is_wrong_and_on_once_it_is_put_right(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks, tidied, is_wrong = asyncio.Semaphore(0), list[int](), True

    class Looked(Memory):
        def under(self, folder: str) -> list[Blob]:
            loop.call_soon_threadsafe(looks.release)
            return []

    async def tidy(*_: object, **__: object) -> None:
        tidied.append(api.clock.ms)

    loop, days_ms = asyncio.get_running_loop(), 30 * DAY_MS
    api.service.proofs.blobs = Looked()
    monkeypatch.setattr(proof_jobs, "tidy", tidy)
    monkeypatch.setattr(proof_jobs, "LOOK_S", 0.0)
    monkeypatch.setattr(api.service.store, "has_wrong_clock", lambda market: is_wrong)
    keeping = asyncio.create_task(keep_proofs(api.service, api.market))
    for ahead_ms, wrong, count in ((days_ms, True, 0), (0, False, 1), (-days_ms, False, 2)):
        api.clock.ms, is_wrong = api.clock.ms + ahead_ms, wrong
        for _ in range(3):
            await looks.acquire()
        assert len(tidied) == count
    keeping.cancel()


async def test_a_picture_whose_commit_was_lost_is_put_again_and_named_once(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lost(*_: object, **__: object) -> None:
        raise Unavailable("the store does not answer\nMaybe ask again.", retry_after_s=1)

    await accepted(api)
    stored = api.store.market(api.market)
    with monkeypatch.context() as patch:
        patch.setattr(stored, "commit", lost)
        assert (await put(api, PNG))[0] == 503
    kept = api.service.proofs.blobs
    assert len(kept.under(api.market)) == 1
    assert (await as_vendor(api, "GET", PROOF))[1]["pictures"] == []
    assert (await put(api, PNG))[0] == 200
    assert len((await as_vendor(api, "GET", PROOF))[1]["pictures"]) == 1
    told, found = await judge_pictures(api.store.servers, api.market, kept)
    assert (told["pictures_unnamed"], found) == (1, []), "it may have been stored: what it names stays"
    assert await get(api) == (200, "image/png", PNG)


async def test_many_at_once_are_all_there_and_the_task_is_settled_with_the_last(api: Api) -> None:
    await tuned(api, proof_ride_required=3)
    await accepted(api)
    await done(api)
    said = [{"part": "pickup"}, {"part": "dropoff"}, {"part": "pickup", "odometer_miles": 1}]
    answers = await asyncio.gather(
        *(as_vendor(api, "POST", PROOF, each) for each in said),
        *(put(api, PNG) for _ in range(3)),
        put(api, JPEG, of="photo", media="image/jpeg"),
    )
    assert [status for status, _ in answers] == [200] * 7
    _, proof = await as_vendor(api, "GET", PROOF)
    assert (len(proof["parts"]), len(proof["pictures"]), proof["lacking"]) == (3, 2, [])
    (task,) = await missing(api)
    assert (task["state"], task["outcome"]) == ("done", "settled")
    assert judge(await survey(api.store.reader, api.market)) == []


async def test_one_whose_time_is_over_takes_no_more(api: Api) -> None:
    await tuned(api, proof_days=30)
    await accepted(api)
    await put(api, PNG)
    stored = api.store.market(api.market).proofs
    record = await stored.records.get("r1.1.proof")
    assert record is not None
    context = Context(now_ms=record.timer_ms, values={"proof_days": 30})
    assert (await api.store.market(api.market).commit([due(record, context)])).ok  # type: ignore[list-item]
    assert (await as_vendor(api, "POST", PROOF, {"part": "pickup"}))[0] == 409
    assert (await put(api, JPEG, media="image/jpeg"))[0] == 409
    assert (await get(api))[0] == 404


async def test_without_a_body_a_call_tells_the_same(api: Api) -> None:
    await accepted(api)
    await put(api, PNG)
    for path in (f"{PROOF}/dropoff/blob", "/proofs?day=2026-03-02", PROOF):
        async with api.client.head(api.base + path, headers=api.headers(Role.OPS)) as answer:
            assert (answer.status, await answer.read()) == (200, b"")


async def test_an_export_that_is_cut_short_does_not_open(api: Api) -> None:
    await accepted(api)
    await put(api, PNG)
    await put(api, JPEG, of="photo", media="image/jpeg")
    proofs = api.service.proofs

    class Half(Memory):
        def get(self, name: str) -> bytes | None:  # type: ignore[override]
            if ".photo." in name:
                raise OSError("it went away")
            return super().get(name)

    proofs.blobs = Half(proofs.blobs)  # type: ignore[arg-type]
    raw = b""
    headers = api.headers(Role.OPS)
    with pytest.raises(ClientError):
        async with api.client.get(f"{api.base}/proofs?day=2026-03-02", headers=headers) as answer:
            assert answer.status == 200
            async for piece in answer.content.iter_any():
                raw += piece
    assert raw
    with pytest.raises(zipfile.BadZipFile):
        zipfile.ZipFile(io.BytesIO(raw))


async def test_a_place_that_hangs_holds_up_nobody_but_who_waits_for_it(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_in, "MOST_WAITING", 60)
    until, hanging = threading.Event(), list[str]()

    class Hangs(Memory):
        def put(self, name: str, content: bytes) -> None:
            hanging.append(name)
            until.wait(60)
            super().put(name, content)

    await accepted(api)
    api.service.proofs.blobs = Hangs()
    waiting = [asyncio.create_task(put(api, PNG + bytes([each]))) for each in range(61)]
    try:
        first, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)  # more than may wait
        status, problem = first.pop().result()
        assert (status, problem["type"]) == (503, "/problems/unavailable")
        assert "60 pictures are on their way" in problem["detail"]
        assert (await as_vendor(api, "GET", PROOF))[0] == 200  # though 48 may be at work, and more wait
    finally:
        until.set()
        await asyncio.gather(*waiting)
    assert hanging
