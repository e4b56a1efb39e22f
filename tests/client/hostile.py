"""Every call of every client, and answers that are not the documented ones."""

import datetime as dt
from typing import NamedTuple

from aiohttp import web

from client.care import CareClient
from client.ops import OpsClient
from client.platform import PlatformClient
from client.standing_orders import StandingOrderClient
from client.tasks import TaskClient
from client.vendor import VendorClient
from contracts.amendments import Amend
from contracts.authorizations import Authorization
from contracts.barriers import BarrierCode
from contracts.caps import Caps
from contracts.codes import CredentialKind, DeclineCode, TrackingStatus
from contracts.counters import Counter
from contracts.dispatches import StatusUpdate
from contracts.episode_views import EpisodeSubmission
from contracts.onboarding import OnboardingState
from contracts.pools import Pool, Pools
from contracts.proofs import ProofPart, ProofReport
from contracts.scorecards import Disputable
from contracts.standing_orders import StandingOrder
from contracts.tasks import TaskOutcome
from tests.solvers import town
from tests.solvers.town import trip, vendor

RIDE = trip("r1")
PAPER = CredentialKind.AUTO_INSURANCE
DAY = dt.date(2026, 9, 16)
AUTHORIZATION = Authorization(
    number="A-1",
    payer="Medicaid",
    services=("wheelchair", "E1390"),
    granted=10,
    first_day=DAY,
    last_day=DAY,
    requests=("r1",),
)
POOLS = Pools(pools=(Pool(id="vans", serves=("wheelchair",), units=(2,)),))
EPISODE = EpisodeSubmission(id="e1", requests=(RIDE,))
ORDER = StandingOrder(request=RIDE, rule="FREQ=DAILY")
EN_ROUTE = StatusUpdate(status=TrackingStatus.EN_ROUTE)


async def first(listed):
    return [each async for each in listed]


CALLS = {
    "submit": (PlatformClient, lambda c: c.submit(RIDE)),
    "submit_batch": (PlatformClient, lambda c: c.submit([RIDE, trip("r2")])),
    "view": (PlatformClient, lambda c: c.view("r1")),
    "patient": (PlatformClient, lambda c: c.patient("r1")),
    "patient_reads": (OpsClient, lambda c: first(c.patient_reads())),
    "views": (PlatformClient, lambda c: first(c.views())),
    "cancel": (PlatformClient, lambda c: c.cancel("r1")),
    "amend": (PlatformClient, lambda c: c.amend("r1", Amend(notes="x"))),
    "take_counter": (PlatformClient, lambda c: c.take_counter("r1.1", 1)),
    "refuse_counter": (PlatformClient, lambda c: c.refuse_counter("r1.1", 1)),
    "hold": (PlatformClient, lambda c: c.hold("r1")),
    "resume": (PlatformClient, lambda c: c.resume("r1")),
    "activate": (PlatformClient, lambda c: c.activate("r1")),
    "quotes": (PlatformClient, lambda c: c.quotes(RIDE)),
    "put_vendor": (PlatformClient, lambda c: c.put_vendor(vendor("v1"))),
    "put_capacity": (PlatformClient, lambda c: c.put_capacity("v1", DAY, POOLS)),
    "put_tuning": (PlatformClient, lambda c: c.put_tuning({}, reason="test")),
    "platform_events": (PlatformClient, lambda c: first(c.events())),
    "offers": (VendorClient, lambda c: c.offers()),
    "capacity": (VendorClient, lambda c: c.capacity("v1", DAY)),
    "vendor": (VendorClient, lambda c: c.vendor("v1")),
    "vendors": (OpsClient, lambda c: first(c.vendors())),
    "pause_vendor": (OpsClient, lambda c: c.pause_vendor("v1", "late")),
    "resume_vendor": (OpsClient, lambda c: c.resume_vendor("v1")),
    "onboard": (OpsClient, lambda c: c.onboard("v1", OnboardingState.ACTIVE)),
    "sign_in_link": (OpsClient, lambda c: c.sign_in_link("v1", "Ana")),
    "sessions": (OpsClient, lambda c: c.sessions("v1")),
    "end_sessions": (OpsClient, lambda c: c.end_sessions("v1")),
    "verify": (OpsClient, lambda c: c.verify("v1", town.ALL_CREDENTIALS)),
    "fairness": (OpsClient, lambda c: c.fairness()),
    "caps": (VendorClient, lambda c: c.caps("v1")),
    "put_caps": (CareClient, lambda c: c.put_caps("v1", Caps())),
    "put_document": (VendorClient, lambda c: c.put_document("v1", PAPER, b"x")),
    "document": (VendorClient, lambda c: c.document("v1", PAPER)),
    "documents": (VendorClient, lambda c: c.documents("v1")),
    "why": (VendorClient, lambda c: c.why("v1")),
    "barrier": (CareClient, lambda c: c.barrier("r1", BarrierCode.WEATHER)),
    "patterns": (CareClient, lambda c: c.patterns()),
    "offer": (CareClient, lambda c: c.offer("r1", "v1")),
    "ask_window": (
        CareClient,
        lambda c: c.ask_window("r1", RIDE.pickup_window.earliest, RIDE.pickup_window.latest),
    ),
    "put_authorization": (CareClient, lambda c: c.put_authorization("a1", AUTHORIZATION)),
    "authorization": (CareClient, lambda c: c.authorization("a1")),
    "authorizations": (CareClient, lambda c: first(c.authorizations(request="r1"))),
    "revoke": (CareClient, lambda c: c.revoke("a1")),
    "accept": (VendorClient, lambda c: c.accept("r1.1")),
    "decline": (VendorClient, lambda c: c.decline("r1.1", DeclineCode.BAD_WEATHER)),
    "counter": (VendorClient, lambda c: c.counter("r1.1", Counter(price_cents=5_000))),
    "report": (VendorClient, lambda c: c.report("r1.1", EN_ROUTE)),
    "amendment": (VendorClient, lambda c: c.amendment("r1.1")),
    "agree": (VendorClient, lambda c: c.agree("r1.1", 1)),
    "refuse": (VendorClient, lambda c: c.refuse("r1.1", 1)),
    "listed": (VendorClient, lambda c: c.listed()),
    "day": (VendorClient, lambda c: c.day()),
    "dispatch": (VendorClient, lambda c: c.dispatch("r1.1")),
    "waiting": (VendorClient, lambda c: c.waiting("r1.1")),
    "ready": (VendorClient, lambda c: c.ready("r1.1")),
    "price": (PlatformClient, lambda c: c.price("r1.1")),
    "make_webhook": (VendorClient, lambda c: c.make_webhook("https://v.example/", key="k1")),
    "webhooks": (VendorClient, lambda c: first(c.webhooks())),
    "webhook": (VendorClient, lambda c: c.webhook("w1")),
    "change_webhook": (VendorClient, lambda c: c.change_webhook("w1", "https://v.example/")),
    "remove_webhook": (VendorClient, lambda c: c.remove_webhook("w1")),
    "webhook_secret": (VendorClient, lambda c: c.webhook_secret("w1")),
    "rotate_webhook_secret": (VendorClient, lambda c: c.rotate_webhook_secret("w1")),
    "enable_webhook": (VendorClient, lambda c: c.enable_webhook("w1")),
    "disable_webhook": (VendorClient, lambda c: c.disable_webhook("w1")),
    "replay_webhook": (VendorClient, lambda c: c.replay_webhook("w1", after="0-0")),
    "test_webhook": (VendorClient, lambda c: c.test_webhook("w1")),
    "send_webhook_again": (VendorClient, lambda c: c.send_webhook_again("w1")),
    "deliveries": (VendorClient, lambda c: first(c.deliveries("w1"))),
    "forget_dead_deliveries": (VendorClient, lambda c: c.forget_dead_deliveries("w1")),
    "dead_deliveries": (VendorClient, lambda c: first(c.dead_deliveries("w1"))),
    "statement": (VendorClient, lambda c: c.statement("v1", "2026-03")),
    "statements": (PlatformClient, lambda c: first(c.statements("2026-03"))),
    "statement_items": (PlatformClient, lambda c: first(c.statement_items("v1", "2026-03"))),
    "statement_csv": (VendorClient, lambda c: c.statement_csv("v1", "2026-03")),
    "statement_item": (VendorClient, lambda c: c.statement_item("v1", "2026-03", "r1.1")),
    "dispute_item": (VendorClient, lambda c: c.dispute_item("v1", "2026-03", "r1.1", 1, "twice")),
    "settle_item": (OpsClient, lambda c: c.settle_item("v1", "2026-03", "r1.1", 1, "once")),
    "scorecard": (VendorClient, lambda c: c.scorecard("v1", DAY)),
    "score_requests": (VendorClient, lambda c: first(c.score_requests("v1", "late"))),
    "score_disputes": (VendorClient, lambda c: first(c.score_disputes("v1"))),
    "dispute_score": (VendorClient, lambda c: c.dispute_score("v1", "r1.1", Disputable.LATE, "no")),
    "answer_score_dispute": (
        OpsClient,
        lambda c: c.answer_score_dispute("v1", "r1.1.late_dispute", "it was", upheld=True),
    ),
    "dispute": (PlatformClient, lambda c: c.dispute("r1.1", 1, "twice")),
    "settle": (OpsClient, lambda c: c.settle("r1.1", 1, "once")),
    "submit_episode": (PlatformClient, lambda c: c.submit_episode(EPISODE)),
    "put_episode": (PlatformClient, lambda c: c.put_episode("e1", EPISODE.episode)),
    "episode": (PlatformClient, lambda c: c.episode("e1")),
    "episodes": (PlatformClient, lambda c: first(c.episodes())),
    "add_to_episode": (PlatformClient, lambda c: c.add_to_episode("e1", "r1")),
    "remove_from_episode": (PlatformClient, lambda c: c.remove_from_episode("e1", "r1")),
    "note_on_episode": (PlatformClient, lambda c: c.note_on_episode("e1", "called")),
    "release_request": (PlatformClient, lambda c: c.release_request("r1")),
    "put_standing_order": (StandingOrderClient, lambda c: c.put_standing_order(ORDER)),
    "standing_order": (StandingOrderClient, lambda c: c.standing_order("r1")),
    "standing_orders": (StandingOrderClient, lambda c: first(c.standing_orders())),
    "pause": (StandingOrderClient, lambda c: c.pause("r1")),
    "resume_standing_order": (StandingOrderClient, lambda c: c.resume("r1")),
    "end": (StandingOrderClient, lambda c: c.end("r1")),
    "skip": (StandingOrderClient, lambda c: c.skip("r1", DAY)),
    "shift": (StandingOrderClient, lambda c: c.shift("r1", DAY, 30)),
    "proof": (VendorClient, lambda c: c.proof("r1.1")),
    "proof_picture": (PlatformClient, lambda c: c.proof_picture("r1.1", ProofPart.PICKUP)),
    "proofs_of": (PlatformClient, lambda c: first(c.proofs_of(DAY))),
    "give_proof": (VendorClient, lambda c: c.give_proof("r1.1", ProofReport(part=ProofPart.PICKUP))),
    "put_picture": (VendorClient, lambda c: c.put_picture("r1.1", ProofPart.PICKUP, b"x")),
    "messages": (VendorClient, lambda c: c.messages("r1.1")),
    "post_message": (PlatformClient, lambda c: c.post_message("r1.1", "at the side door")),
    "mark_read": (VendorClient, lambda c: c.mark_read("r1.1")),
    "episode_messages": (PlatformClient, lambda c: c.episode_messages("e1")),
    "post_episode_message": (PlatformClient, lambda c: c.post_episode_message("e1", "both are set up")),
    "mark_episode_read": (PlatformClient, lambda c: c.mark_episode_read("e1")),
    "vendor_events": (VendorClient, lambda c: first(c.events())),
    "tasks": (TaskClient, lambda c: first(c.tasks())),
    "task": (TaskClient, lambda c: c.task("r1.unmatched")),
    "claim": (TaskClient, lambda c: c.claim("r1.unmatched", "ann")),
    "release": (TaskClient, lambda c: c.release("r1.unmatched", "ann")),
    "finish": (TaskClient, lambda c: c.finish("r1.unmatched", "ann", TaskOutcome.RESOLVED)),
    "comment": (TaskClient, lambda c: c.comment("r1.unmatched", "ann", "called")),
}


class Lie(NamedTuple):
    """An answer that is not the documented one of any call."""

    status: int
    media: str = "application/json"
    body: bytes = b""
    location: str = ""
    etag: str = ""

    def response(self):
        headers = {"Content-Type": self.media} if self.media else {}
        headers |= {"Location": self.location} if self.location else {}
        headers |= {"ETag": self.etag} if self.etag else {}
        return web.Response(status=self.status, body=self.body, headers=headers)


PAGE = b"<!doctype html><title>Sign in</title>"
HTML = "text/html; charset=utf-8"
LIES = {
    "a login page": Lie(302, HTML, PAGE, "/login"),
    "moved, method kept": Lie(307, HTML, PAGE, "OTHER"),
    "moved for good": Lie(308, HTML, PAGE, "OTHER"),
    "moved nowhere": Lie(301),
    "see other": Lie(303, HTML, PAGE, "OTHER"),
    "not modified": Lie(304, ""),
    "no content": Lie(204, ""),
    "html as 200": Lie(200, HTML, PAGE),
    "html as 202": Lie(202, HTML, PAGE),
    "html said to be JSON": Lie(200, "application/json", PAGE),
    "garbage accepted": Lie(202, "application/json", b"\xff\xfe{"),
    "nothing": Lie(200),
    "nothing accepted": Lie(202),
    "null": Lie(200, body=b"null"),
    "null accepted": Lie(202, body=b"null"),
    "an empty object": Lie(201, body=b"{}"),
    "a list": Lie(200, body=b"[]"),
    "cut short": Lie(202, body=b'{"requests":[{"id":"r1"'),
    "nobody's receipts": Lie(202, body=b'{"requests":[]}'),
    "another's receipt": Lie(202, body=b'{"requests":[{"id":"r9","href":"/"}]}'),
    "deep": Lie(200, body=b"[" * 200_000),
    "partial content": Lie(206, body=b'{"requests":[{"id":"r1","href":"/"}]}'),
    "no type": Lie(202, "", b'{"requests":[{"id":"r1","href":"/"}]}'),
    "msgpack": Lie(202, "application/msgpack", b"\x81\xa8requests\x90"),
    "a feed of nothing said to be one": Lie(203, "text/event-stream", b"data: x\n\n"),
    "forbidden by a proxy": Lie(403, HTML, PAGE),
    "a proxy's JSON": Lie(404, body=b'{"message": "no route"}'),
    "a failure without a word": Lie(500, ""),
    "problem as 200": Lie(200, "application/problem+json", b'{"type":"/problems/not-found","status":404}'),
}
