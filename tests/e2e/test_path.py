"""The whole way of a request, over the public interfaces only: submitted, matched, offered, done."""

import asyncio
import base64

import msgspec
import pytest
import pytest_asyncio

from client.errors import Problem
from client.platform import PlatformClient
from client.streams import MatchStream, VendorStream
from client.tasks import TaskClient
from client.vendor import VendorClient
from contracts.codes import RequestState, Role, TrackingStatus
from contracts.dispatches import StatusUpdate
from contracts.events import DispatchConfirmed, OfferMade, RequestMatched
from contracts.tasks import OwnerRole, TaskKind, TaskOutcome, TaskState
from dispatcher.runtime.clock import SystemClock
from simulation.links import HttpLink, StreamLink
from tests.delivery.receivers import Receiver, webhook
from tests.e2e.conftest import MARKET, redis_url, reply_key, service, token
from tests.e2e.made import CENTRE, patient, post, trip

COURSE = (
    TrackingStatus.EN_ROUTE,
    TrackingStatus.AT_PICKUP,
    TrackingStatus.ON_BOARD,
    TrackingStatus.COMPLETED,
)


TOLD = Receiver()
NEVER_QUIET = {"notify_quiet_from_hour": 8, "notify_quiet_until_hour": 8}
OTHERS = ("v-http", "v-redis")  # vendors that other tests register
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory):
    """One service for all, each with requests and vendors of its own; patients are told by webhook."""
    folder = tmp_path_factory.mktemp("path")
    (folder / "secret").write_text("whsec_" + base64.b64encode(bytes(32)).decode())
    async with webhook(TOLD) as url:
        ways = {"notify_webhook_url": url, "notify_webhook_secret_file": folder / "secret"}
        async with service(folder, **ways) as started:
            yield started


def link(running, vendor_id, way):
    client = VendorClient(running.url, token(running.settings, Role.VENDOR, vendor_id), MARKET)
    if way == "http":
        return HttpLink(client)
    key = reply_key(running.settings, vendor_id)
    stream = VendorStream(redis_url(running.settings), MARKET, vendor_id, reply_key=key)
    return StreamLink(stream, SystemClock(), client)


async def hear(events, kind):
    async for event in events:
        if event.type == kind:
            return event
    raise AssertionError("the feed ended")


async def test_a_request_goes_all_the_way_over_http_and_over_redis(running):
    ops = PlatformClient(running.url, token(running.settings, Role.OPS), MARKET)
    platform = PlatformClient(running.url, token(running.settings, Role.PLATFORM), MARKET)
    async with ops, platform, MatchStream(redis_url(running.settings), MARKET) as matches:
        await ops.put_tuning(NEVER_QUIET, reason="whatever the hour of the test")
        for way in ("http", "redis"):
            await post(ops, f"v-{way}")
            works = link(running, f"v-{way}", way)
            try:
                await asyncio.wait_for(_whole_way(running, platform, matches, works, way), 30)
            finally:
                await works.close()


async def _whole_way(running, platform, matches, works, way):
    request = trip(f"t-{way}", *{"v-http", "v-redis"} - {f"v-{way}"})
    await platform.submit(request)
    events = works.events()
    offer = msgspec.convert((await hear(events, "dispatch.offer.made")).data, OfferMade).offer
    assert offer.request_id == request.id
    assert offer.pickup_zone != request.pickup.position
    assert b"Nobody" not in msgspec.json.encode(offer)
    seen = await _dispatch(running, offer)
    assert seen in {404, 409}  # not before acceptance

    await works.accept(offer.id, reference="trip 7")
    confirmed = msgspec.convert((await hear(events, "dispatch.dispatch.confirmed")).data, DispatchConfirmed)
    assert confirmed.offer_id == offer.id
    dispatch = await _dispatch(running, offer)
    assert dispatch.patient == msgspec.structs.replace(patient(offer.request_id), record_number="")
    assert dispatch.pickup == CENTRE

    for status in COURSE:
        await works.report(offer.id, StatusUpdate(status=status))
    while (view := await platform.view(request.id)).state is not RequestState.COMPLETED:
        await asyncio.sleep(0.05)
    assert [step.state for step in view.history if step.state == RequestState.ACCEPTED]
    assert view.match is not None
    assert view.match.vendor_id == offer.vendor_id
    entries = matches.entries()
    async for entry in entries:
        told = msgspec.convert(entry.event.data, RequestMatched)
        await matches.acknowledge(entry)
        if told.match.request_id == request.id and told.state is RequestState.ACCEPTED:
            break
    await entries.aclose()
    while told_of(request.id) != ["ride_appointment", "ride_arriving"]:
        await asyncio.sleep(0.05)


def told_of(request_id):
    """What the patient of a request was told, by the webhook."""
    notes = [msgspec.json.decode(body)["data"] for _, body in TOLD.calls]
    return sorted(each["template"] for each in notes if each["request_id"] == request_id)


async def _dispatch(running, offer):
    secret = token(running.settings, Role.VENDOR, offer.vendor_id)
    async with VendorClient(running.url, secret, MARKET) as client:
        try:
            return await client.dispatch(offer.id)
        except Problem as problem:
            return problem.status


async def test_another_vendors_offer_does_not_exist(running):
    ops = PlatformClient(running.url, token(running.settings, Role.OPS), MARKET)
    platform = PlatformClient(running.url, token(running.settings, Role.PLATFORM), MARKET)
    async with ops, platform:
        await post(ops, "v1")
        await platform.submit(trip("t1", *OTHERS))
        works, other = link(running, "v1", "http"), link(running, "v2", "http")
        offer = msgspec.convert((await hear(works.events(), "dispatch.offer.made")).data, OfferMade).offer
        with pytest.raises(Problem) as problem:
            await other.accept(offer.id, reference="")
        assert problem.value.status == 404
        await works.close()
        await other.close()


async def test_what_a_person_must_do_is_a_task_until_it_is_done(running):
    ops = PlatformClient(running.url, token(running.settings, Role.OPS), MARKET)
    platform = PlatformClient(running.url, token(running.settings, Role.PLATFORM), MARKET)
    people = TaskClient(running.url, token(running.settings, Role.PLATFORM), MARKET)
    async with ops, platform, people:
        await post(ops, "v3")
        await platform.submit(trip("t3", *OTHERS, "v1"))
        works = link(running, "v3", "http")
        offer = msgspec.convert((await hear(works.events(), "dispatch.offer.made")).data, OfferMade).offer
        await works.accept(offer.id, reference="")
        await works.report(offer.id, StatusUpdate(status=TrackingStatus.NO_SHOW))
        await works.close()
        (task,) = [each async for each in people.tasks(OwnerRole.CARE_COORDINATOR)]
        assert (task.id, task.kind, task.request_id) == ("t3.no_show", TaskKind.NO_SHOW, "t3")
        assert (await people.claim(task.id, "ann")).claimed_by == "ann"
        assert (await people.comment(task.id, "ann", "called the ward")).comments[0].text == "called the ward"
        assert (await people.release(task.id, "ann")).state is TaskState.OPEN
        done = await people.finish(task.id, "ann", TaskOutcome.ARRANGED_OTHERWISE)
        assert done == await people.task(task.id)
        assert [each async for each in people.tasks()] == []
        assert [each.id async for each in people.tasks(state=TaskState.DONE)] == [task.id]
