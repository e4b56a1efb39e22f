"""Vendors of every kind: what they would rather do, prove, and are called with, drawn from ids and a seed."""

from __future__ import annotations

import datetime as dt

import aiohttp
import msgspec
import pytest
from msgspec.structs import replace
from standardwebhooks import Webhook

from contracts.counters import Counter, CounterState, CounterView
from contracts.events import CloudEvent
from contracts.geo import Window
from contracts.offers import LineView, Offer
from contracts.proofs import MAGIC, PNG, ProofPart
from simulation.counters import agreed, countered, is_fair
from simulation.proofs import FORGOTTEN, SIGNATURE, forgets, proof_of
from simulation.tally import Tally
from simulation.webhooks import BUSY, Inbox, WebhookServer
from tests.simulation.conftest import NOON

SECRET = "whsec_" + "c2VjcmV0IG9mIHRoaXMgdGVzdCwgb2YgMzIgYnl0ZXM="
OTHER = "whsec_" + "b3RoZXIgc2VjcmV0IG9mIHRoaXMgdGVzdCwgMzI="
WINDOW = Window(earliest=NOON, latest=NOON + dt.timedelta(minutes=30))


def test_a_share_of_the_offers_is_countered_in_every_way_and_always_the_same(
    some_offers: list[Offer],
) -> None:
    offers = [replace(each, window=WINDOW) for each in some_offers]
    made = [countered(each, 7, 0.3) for each in offers]
    assert made == [countered(each, 7, 0.3) for each in offers]
    found = [each for each in made if each is not None]
    assert 0.25 < len(found) / len(offers) < 0.35
    dearer = [each.price_cents for each in found if each.price_cents is not None]
    starts = [each.start_at for each in found if each.start_at is not None]
    assert min(dearer) > 3_500
    assert {each > WINDOW.latest for each in starts} == {True, False}
    assert not any(countered(each, 7, 0.0) for each in offers)


def test_what_a_vendor_has_is_what_it_countered_or_what_was_offered(some_offers: list[Offer]) -> None:
    offer, later = some_offers[0], NOON + dt.timedelta(minutes=10)
    assert agreed(offer, None) is offer
    assert agreed(offer, Counter(start_at=later)).start_at == later
    assert agreed(offer, Counter(price_cents=4_000)).price_cents == 4_000


@pytest.mark.parametrize(
    ("outside", "more", "fair"), [(0, 500, True), (10, 0, True), (11, 0, False), (0, 600, False)]
)
def test_a_coordinator_takes_what_is_little_later_and_not_much_dearer(
    outside: int, more: int, fair: bool
) -> None:
    view = CounterView(
        offer_id="r1.1",
        number=1,
        state=CounterState.PENDING,
        start_at=NOON,
        price_cents=3_500 + more,
        made_at=NOON,
        expires_at=NOON,
        start_shift_minutes=0,
        outside_window_minutes=outside,
        more_cents=more,
    )
    assert is_fair(view) is fair


def test_a_ride_is_proved_by_its_drop_off_and_an_order_by_its_delivery(some_offers: list[Offer]) -> None:
    assert SIGNATURE.startswith(MAGIC[PNG])
    proofs = [proof_of(each, 7) for each in some_offers]
    assert {each.report.part for each in proofs} == {ProofPart.DROPOFF}
    assert all((each.picture is None) is (each.report.signature.refused is not None) for each in proofs)
    assert 0 < sum(each.picture is None for each in proofs) < len(proofs) / 5
    lines = (LineView(hcpcs="E1390", quantity=2),)
    report = proof_of(replace(some_offers[0], lines=lines), 7).report
    assert (report.part, report.instruction_given, report.items[0].quantity) == (ProofPart.DELIVERY, True, 2)
    assert 0 < sum(forgets(each, 7) for each in some_offers) < 2 * FORGOTTEN * len(some_offers)


def _call(name: str, secret: str = SECRET) -> tuple[bytes, dict[str, str]]:
    event = CloudEvent(id=name, source="s", type="dispatch.offer.made", subject="r1.1", time=NOON)
    body, at = msgspec.json.encode(event), dt.datetime.now(dt.UTC)
    before, signature = (Webhook(each).sign(name, at, body.decode()) for each in (OTHER, secret))
    return body, {
        "webhook-id": name,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": f"{before} {signature}",  # as while a secret is rotated
    }


async def test_a_server_takes_each_genuine_call_once_puts_a_few_off_and_no_other(
    some_offers: list[Offer],
) -> None:
    tally = Tally(planned=0)
    server = WebhookServer(tally, 7)
    await server.start()
    inbox = server.inboxes["v1"] = Inbox(SECRET)
    names = [f"e{number}" for number in range(60)]
    try:
        async with aiohttp.ClientSession() as session:

            async def status(name: str, secret: str = SECRET, to: str = "v1") -> int:
                body, headers = _call(name, secret)
                async with session.post(server.url(to), data=body, headers=headers) as answer:
                    return answer.status

            first = [await status(name) for name in names]
            assert {await status(name) for name in names} == {204}
            assert await status("forged", OTHER) in {400, 503}
            assert await status("e1", to="v2") == 404
    finally:
        await server.close()
    assert set(first) == {204, 503}
    assert first.count(503) < 4 * BUSY * len(names)
    assert inbox.events.qsize() == len(names)
    assert tally.vendors["webhook calls put off"] >= first.count(503)
