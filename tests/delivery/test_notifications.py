"""Notifications go out once each, in good time and in nobody's sleep, whatever dies in between."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest
from aiohttp import web
from msgspec.structs import replace
from standardwebhooks import Webhook as Verifier

from contracts.codes import TrackingStatus
from contracts.dispatches import StatusUpdate
from contracts.instants import HOUR_MS, MINUTE_MS
from contracts.notifications import Contact, Template
from contracts.offers import Accept
from contracts.tuning import TuningUpdate
from dispatcher.delivery.notify import courier as couriers
from dispatcher.delivery.notify.courier import Courier
from dispatcher.delivery.notify.mail import Mailer
from dispatcher.delivery.notify.notifier import Note, Undelivered
from dispatcher.delivery.notify.quiet import PARAMETERS, quiet_until_ms
from dispatcher.delivery.notify.ways import notifier_of
from dispatcher.delivery.notify.webhook import Webhook
from dispatcher.delivery.notify.wording import worded
from dispatcher.domain.commands.activate import ActivateRequest
from dispatcher.domain.notifications import NOTIFICATION_KIND, NotificationRecord, NotificationState
from dispatcher.jobs.timers import Timers
from dispatcher.runtime.errors import UserError
from dispatcher.runtime.urls import MailUrl, WebhookUrl
from dispatcher.settings import Settings, SettingsError
from tests.clock import ManualClock
from tests.delivery.receivers import PASSWORD, USER, Mailbox, Receiver, certificate, mail_server, webhook
from tests.domain import make
from tests.http.test_privacy import logged  # noqa: F401  (a fixture)
from tests.service.world import World

SECRET = bytes(range(32))
EMAIL = "canary.nightingale@example.org"
S = NotificationState
FROM = "rides@hospital.example"


@pytest.fixture
async def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
async def hook(world: World, receiver: Receiver) -> AsyncIterator[Webhook]:
    async with webhook(receiver) as url:
        made = Webhook(WebhookUrl.parse(url), SECRET, world.clock)
        yield made
        await made.aclose()


async def on_its_way(world: World, **contact: object) -> NotificationRecord:
    """A vendor is on its way to a patient who may be told so."""
    await world.open_with(make.vendor())
    patient = replace(make.PATIENT, contact=Contact(**({"email": EMAIL} | contact)))  # type: ignore[arg-type]
    await world.submit(make.trip("r1", patient=patient))
    await world.offer("r1")
    await world.service.tuning.put(
        world.ops,
        world.market,
        TuningUpdate(values={"notify_appointment_hours": 0}, reason="the other rule"),
        None,
    )
    world.service.markets.forget_tuning(world.market)
    await world.accept(world.vendor(), "r1.1", Accept())
    await world.report(world.vendor(), "r1.1", StatusUpdate(status=TrackingStatus.EN_ROUTE))
    (note,) = await kept(world)
    return note


async def kept(world: World) -> list[NotificationRecord]:
    """All notifications that are stored."""
    records = world.store.market(world.market).records(NOTIFICATION_KIND)
    lists = [f"notifications:{each.value}" for each in NotificationState]
    found = [await records.due_in(each, 2**52, 100) for each in lists]
    return list((await records.get_all([name for some in found for name in some])).values())


async def test_a_webhook_is_signed_and_tells_no_more_than_it_takes(
    world: World, hook: Webhook, receiver: Receiver
) -> None:
    note = await on_its_way(world)
    assert await Courier(world.service, hook).send_due(world.market) == 1
    ((headers, body),) = receiver.calls
    assert headers["webhook-id"] == note.id
    content = f"{note.id}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(SECRET, content, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    told = Verifier(SECRET).verify(body, headers)  # by real time: the day that is played is another
    assert told["type"] == "dispatch.notification.due"
    assert told["data"]["to"] == {"phone": "555-0142", "email": EMAIL}
    assert told["data"]["template"] == "ride_arriving"
    assert "Nightingale" not in body.decode().replace(EMAIL, "")
    assert "Canary Row" not in body.decode()
    (after,) = await kept(world)
    assert after.state is S.DELIVERED
    assert await Courier(world.service, hook).send_due(world.market) == 0
    assert len(receiver.calls) == 1


async def test_who_is_ready_hears_by_when_the_ride_is_there_and_of_no_vendor(
    world: World, hook: Webhook, receiver: Receiver
) -> None:
    await world.open_with(make.vendor())
    await world.submit(make.will_call(patient=replace(make.PATIENT, contact=Contact(email=EMAIL))))
    for _ in range(2):
        await world.service.execute(world.ops, world.market, ActivateRequest(request_id="r1"))
    assert await Courier(world.service, hook).send_due(world.market) == 1
    ((_, body),) = receiver.calls
    data = msgspec.json.decode(body)["data"]
    assert (data["template"], data["request_id"], "offer_id" in data) == ("will_call_activated", "r1", False)
    assert "pick you up by 2026-03-02 09:00 (UTC)" in data["text"]


async def test_of_two_that_send_one_does(world: World, hook: Webhook, receiver: Receiver) -> None:
    await on_its_way(world)
    both = [Courier(world.service, hook).send_due(world.market) for _ in range(4)]
    assert sum(await asyncio.gather(*both)) == 1
    assert len(receiver.calls) == 1


@pytest.mark.parametrize("taken", [False, True])
async def test_who_dies_while_it_sends_leaves_it_to_be_sent_again_under_the_same_id(
    world: World, hook: Webhook, receiver: Receiver, taken: bool
) -> None:
    note = await on_its_way(world)

    class Dies:
        async def send(self, made: Note) -> None:
            if taken:
                await hook.send(made)
            raise asyncio.CancelledError

        def reaches(self, made: Note) -> bool:
            return True

        async def aclose(self) -> None: ...

    with pytest.raises(asyncio.CancelledError):
        await Courier(world.service, Dies()).send_due(world.market)
    again = Courier(world.service, hook)
    assert await again.send_due(world.market) == 0  # its pause: the dead one might be alive
    world.clock.ms += 31_000
    assert await again.send_due(world.market) == 1
    assert {headers["webhook-id"] for headers, _ in receiver.calls} == {note.id}
    assert len(receiver.calls) == 1 + taken
    world.clock.ms += HOUR_MS
    assert await again.send_due(world.market) == 0


async def test_a_receiver_that_asks_for_time_gets_it_and_one_that_never_answers_is_ops_task(
    world: World, hook: Webhook, receiver: Receiver
) -> None:
    await on_its_way(world)
    sender = Courier(world.service, hook)
    receiver.answer = lambda number: web.Response(status=503, headers={"Retry-After": "600"})
    await sender.send_due(world.market)
    world.clock.ms += 599_000
    assert await sender.send_due(world.market) == 0
    world.clock.ms += 1_000
    receiver.answer = lambda number: web.Response(status=500)
    await sender.send_due(world.market)
    assert len(receiver.calls) == 2
    world.clock.ms += HOUR_MS
    await sender.send_due(world.market)
    (note,) = await kept(world)
    assert (note.state, note.code) == (S.FAILED, "late")
    assert (await world.record("r1")).tasks == ("r1.1.notification_arriving",)
    counts = await world.store.market(world.market).troubles.counts()
    assert counts["notification:failed"] == 1


async def test_no_redirect_is_followed(world: World, hook: Webhook, receiver: Receiver) -> None:
    await on_its_way(world)
    receiver.answer = lambda number: web.Response(status=307, headers={"Location": "/elsewhere"})
    await Courier(world.service, hook).send_due(world.market)
    assert (len(receiver.calls), receiver.elsewhere) == (1, 0)
    assert (await kept(world))[0].state is S.DUE


async def test_who_opted_out_or_cannot_be_reached_is_not_told(world: World, receiver: Receiver) -> None:
    await on_its_way(world, opt_out=True)
    mailbox = Mailbox()
    async with mail_server(mailbox) as port:
        mailer = Mailer(MailUrl.parse(f"smtp://localhost:{port}"), FROM, world.clock)
        await Courier(world.service, mailer).send_due(world.market)
    (note,) = await kept(world)
    assert (note.state, note.code, mailbox.mails) == (S.DROPPED, "opted_out", [])


async def test_without_an_address_nobody_is_told_and_without_a_way_the_event_alone_tells(
    world: World,
) -> None:
    await on_its_way(world, email="")
    mailer = Mailer(MailUrl.parse("smtp://localhost:9"), FROM, world.clock)
    await Courier(world.service, mailer).send_due(world.market)
    assert [each.code for each in await kept(world)] == ["no_address"]
    assert "dispatch.notification.due" in await world.heard(world.keys.events)


@pytest.mark.parametrize("hours", [0, 2])  # how late somebody looks
async def test_with_no_way_out_nothing_waits_and_nothing_is_a_task(world: World, hours: int) -> None:
    await on_its_way(world)
    world.clock.ms += hours * HOUR_MS
    await Courier(world.service, None).send_due(world.market)
    assert [(each.state, each.code) for each in await kept(world)] == [(S.DROPPED, "no_notifier")]


async def test_with_no_way_out_a_reminder_is_told_and_over_in_one_commit(world: World) -> None:
    Courier(world.service, None)  # of the process that fires timers
    await world.open_with(make.vendor())
    await world.service.tuning.put(
        world.ops, world.market, TuningUpdate(values={"notify_appointment_hours": 1}, reason="late"), None
    )
    world.service.markets.forget_tuning(world.market)
    await world.submit(make.trip("r1"))
    await world.offer("r1")
    await world.accept(world.vendor(), "r1.1", Accept())
    world.clock.ms += 3 * HOUR_MS
    await Timers(world.service).fire_due(world.market)
    assert await kept(world) == []
    assert (await world.heard(world.keys.events)).count("dispatch.notification.due") == 1


async def test_where_nobody_sends_what_is_due_at_once_is_told_and_not_kept(world: World) -> None:
    sending = world.store.market(world.market).sending
    await sending.tell(nothing=True)  # as a matcher without a way out does at its start
    await world.open_with(make.vendor())
    for number in range(2):
        await world.submit(make.trip(f"r{number}"), key=f"k{number}")
        await world.offer(f"r{number}")
        await world.accept(world.vendor(), f"r{number}.1", Accept())
    await world.report(world.vendor(), "r0.1", StatusUpdate(status=TrackingStatus.EN_ROUTE))
    assert await kept(world) == []
    told = (await world.heard(world.keys.events)).count("dispatch.notification.due")
    await sending.tell(nothing=False)  # and one that has one
    world.service.markets.forget_tuning(world.market)
    await world.report(world.vendor(), "r1.1", StatusUpdate(status=TrackingStatus.EN_ROUTE))
    assert (told, [each.state for each in await kept(world)]) == (3, [S.DUE])


@pytest.mark.parametrize("sends", [True, False])
async def test_a_matcher_says_at_its_start_whether_it_sends(
    world: World, hook: Webhook, *, sends: bool
) -> None:
    sending = world.store.market(world.market).sending
    await sending.tell(nothing=sends)
    job = asyncio.create_task(Courier(world.service, hook if sends else None).run(world.market))
    while await sending.nothing() is sends:
        await asyncio.sleep(0.005)
    job.cancel()
    await asyncio.gather(job, return_exceptions=True)


async def test_in_quiet_hours_a_patient_sleeps_and_what_is_no_news_after_them_is_dropped(
    world: World, hook: Webhook, receiver: Receiver
) -> None:
    await on_its_way(world, tz="America/New_York")  # three in the morning
    await Courier(world.service, hook).send_due(world.market)
    assert [(each.state, each.code) for each in await kept(world)] == [(S.DROPPED, "quiet_hours")]
    assert receiver.calls == []


async def test_a_reminder_waits_for_the_end_of_the_quiet(
    world: World, hook: Webhook, receiver: Receiver
) -> None:
    await world.open_with(make.vendor())
    contact = Contact(email=EMAIL, tz="America/Los_Angeles", language="es")  # midnight; the ride is at four
    patient = replace(make.PATIENT, contact=contact)
    await world.service.tuning.put(
        world.ops, world.market, TuningUpdate(values={"notify_quiet_until_hour": 2}, reason="early"), None
    )
    world.service.markets.forget_tuning(world.market)
    await world.submit(make.trip("r1", patient=patient))
    await world.offer("r1")
    await world.accept(world.vendor(), "r1.1", Accept())
    sender = Courier(world.service, hook)
    assert await sender.send_due(world.market) == 1
    world.clock.ms += 2 * HOUR_MS - 1
    assert await sender.send_due(world.market) == 0
    world.clock.ms += 1
    assert await sender.send_due(world.market) == 1
    told = msgspec.json.decode(receiver.calls[0][1])["data"]
    assert (told["language"], told["subject"]) == ("es", "Su viaje")
    assert "2026-03-02 04:00 (America/Los_Angeles)" in told["text"]


async def test_a_planned_reminder_is_sent_in_its_time_after_a_restart(
    world: World, hook: Webhook, receiver: Receiver
) -> None:
    await world.open_with(make.vendor())
    await world.service.tuning.put(
        world.ops, world.market, TuningUpdate(values={"notify_appointment_hours": 1}, reason="late"), None
    )
    world.service.markets.forget_tuning(world.market)
    await world.submit(make.trip("r1"))
    await world.offer("r1")
    await world.accept(world.vendor(), "r1.1", Accept())
    assert await Courier(world.service, hook).send_due(world.market) == 0
    world.clock.ms += 3 * HOUR_MS
    for _ in range(2):  # two processes that begin anew
        await Timers(world.service).fire_due(world.market)
        await Courier(world.service, hook).send_due(world.market)
    assert (await world.heard(world.keys.events)).count("dispatch.notification.due") == 1
    assert len(receiver.calls) == 1


async def test_mail_goes_out_in_plain_text_under_an_id_of_its_own(world: World) -> None:
    note = await on_its_way(world)
    mailbox = Mailbox()
    async with mail_server(mailbox) as port:
        mailer = Mailer(MailUrl.parse(f"smtp://localhost:{port}"), FROM, world.clock)
        assert await Courier(world.service, mailer).send_due(world.market) == 1
    (mail,) = mailbox.mails
    assert mailbox.recipients == [EMAIL]
    assert mail["Message-ID"] == f"<{note.id}@hospital.example>"
    assert (mail["From"], mail["Subject"]) == (FROM, "Your ride is on its way")
    assert "2026-03-02 12:00 (UTC)" in str(mail.get_payload(decode=True))
    assert "Nightingale" not in mail.as_string().replace(EMAIL, "")


@pytest.mark.parametrize(("answer", "state"), [("550 no such user", S.FAILED), ("451 try again", S.DUE)])
async def test_a_mailbox_that_is_not_there_is_not_tried_again_and_one_that_is_busy_is(
    world: World, answer: str, state: NotificationState
) -> None:
    await on_its_way(world)
    mailbox = Mailbox()
    mailbox.answer = answer
    async with mail_server(mailbox) as port:
        mailer = Mailer(MailUrl.parse(f"smtp://localhost:{port}"), FROM, world.clock)
        await Courier(world.service, mailer).send_due(world.market)
    assert (await kept(world))[0].state is state


async def test_mail_over_a_network_is_encrypted_to_a_server_that_is_trusted(tmp_path: Path) -> None:
    served, trusting = certificate(tmp_path)
    mailbox, clock = Mailbox(), ManualClock(make.NOW)
    async with mail_server(mailbox, served) as port:
        url = MailUrl.parse(f"smtp+starttls://{USER}@localhost:{port}")
        await Mailer(url, FROM, clock, password=PASSWORD, tls=trusting).send(example())
        with pytest.raises(Undelivered) as wrong:
            await Mailer(url, FROM, clock, password="wrong", tls=trusting).send(example())
        with pytest.raises(Undelivered) as stranger:
            await Mailer(url, FROM, clock, password=PASSWORD).send(example())
    assert len(mailbox.mails) == 1
    assert (wrong.value.code, wrong.value.final) == ("authentication", False)
    assert not stranger.value.final


def example() -> Note:
    return Note(
        id="n1",
        audience="patient",  # type: ignore[arg-type]
        template=Template.RIDE_ARRIVING,
        language="en",
        subject="Your ride",
        text="soon\n",
        email=EMAIL,
        phone="",
        request_id="r1",
        offer_id="r1.1",
        at_ms=make.NOW,
    )


async def test_neither_text_nor_address_stands_in_a_log_an_event_or_a_key(
    world: World,
    hook: Webhook,
    receiver: Receiver,
    logged: list[str],  # noqa: F811
) -> None:
    await on_its_way(world)
    receiver.answer = lambda number: web.Response(status=500, text=EMAIL)
    await Courier(world.service, hook).send_due(world.market)
    mailer = Mailer(MailUrl.parse("smtp://localhost:9"), FROM, world.clock)
    world.clock.ms += 31_000
    await Courier(world.service, mailer).send_due(world.market)
    assert "undelivered" in "".join(logged)
    keys = await world.store.reader.ask("KEYS", f"*{world.market}*")
    events = await world.store.reader.ask("XRANGE", world.keys.events, "-", "+")
    told = "".join(logged) + repr(keys) + repr(events) + repr(example())
    assert "canary" not in told.lower()
    assert "on the way" not in told


async def test_what_goes_wrong_within_holds_up_no_other_and_is_tried_again(
    world: World, hook: Webhook, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    await on_its_way(world)

    def breaks(*_: object) -> None:
        raise ZeroDivisionError(EMAIL)

    with monkeypatch.context() as patched:
        patched.setattr(couriers, "worded", breaks)
        await Courier(world.service, hook).send_due(world.market)
    assert receiver.calls == []
    world.clock.ms += 6 * MINUTE_MS
    await Courier(world.service, hook).send_due(world.market)
    assert len(receiver.calls) == 1


async def test_one_that_cannot_even_be_put_off_holds_up_no_other(
    world: World, hook: Webhook, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    note = await on_its_way(world)

    async def breaks(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patched:
        patched.setattr(world.service.executor, "attempt", breaks)
        assert await Courier(world.service, hook).send_due(world.market) == 0
    assert await Courier(world.service, hook).send_due(world.market) == 1
    assert [headers["webhook-id"] for headers, _ in receiver.calls] == [note.id]


NEW_YORK = ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("local", "ends_utc"),
    [
        ("2026-03-07T22:30", datetime(2026, 3, 8, 12, tzinfo=UTC)),  # the night that is an hour short
        ("2026-10-31T22:30", datetime(2026, 11, 1, 13, tzinfo=UTC)),  # and the one that is an hour long
        ("2026-03-02T07:59", datetime(2026, 3, 2, 13, tzinfo=UTC)),
        ("2026-03-02T08:00", None),
        ("2026-03-02T20:59", None),
    ],
)
def test_the_quiet_ends_by_the_patients_clock_on_every_night(local: str, ends_utc: datetime | None) -> None:
    at = datetime.fromisoformat(local).replace(tzinfo=NEW_YORK)
    until = quiet_until_ms(int(at.timestamp() * 1000), NEW_YORK, {})
    assert until == (None if ends_utc is None else int(ends_utc.timestamp() * 1000))


def test_an_hour_that_the_clock_leaves_out_ends_the_quiet_as_it_is_skipped() -> None:
    at = datetime(2026, 3, 8, 1, 30, tzinfo=NEW_YORK)
    values = {"notify_quiet_until_hour": 2}
    until = quiet_until_ms(int(at.timestamp() * 1000), NEW_YORK, values)
    assert until == int(datetime(2026, 3, 8, 7, tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize("parameter", PARAMETERS, ids=lambda each: each.name)
def test_each_parameter_of_the_quiet_changes_it(parameter: object) -> None:
    evening = int(datetime(2026, 3, 2, 21, 30, tzinfo=NEW_YORK).timestamp() * 1000)
    name = parameter.name  # type: ignore[attr-defined]
    assert quiet_until_ms(evening, NEW_YORK, {}) != quiet_until_ms(evening, NEW_YORK, {name: 22})


def test_every_template_has_a_text_in_every_language() -> None:
    for template in Template:
        texts = {worded(template, each, make.NOW, NEW_YORK) for each in ("en", "es")}
        assert {each.language for each in texts} == {"en", "es"}
        assert all("2026-03-02 03:00 (America/New_York)" in each.text for each in texts)
    assert worded(Template.RIDE_ARRIVING, "xx", make.NOW, NEW_YORK).language == "en"


@pytest.mark.parametrize(
    "variable",
    [
        {"DISPATCHER_NOTIFY_WEBHOOK_URL": "http://hospital.example/told"},
        {"DISPATCHER_NOTIFY_WEBHOOK_URL": "https://user:pw@hospital.example/told"},
        {"DISPATCHER_NOTIFY_WEBHOOK_URL": "ftp://hospital.example"},
        {"DISPATCHER_SMTP_URL": "smtp://hospital.example"},
        {"DISPATCHER_SMTP_URL": "smtps://user:pw@hospital.example"},
        {"DISPATCHER_SMTP_URL": "smtps://"},
    ],
)
def test_a_way_out_that_is_not_safe_is_refused(variable: dict[str, str]) -> None:
    with pytest.raises(SettingsError):
        Settings.read(variable)


def test_a_way_out_without_what_it_needs_is_told_before_anything_starts(tmp_path: Path) -> None:
    clock, short = ManualClock(make.NOW), tmp_path / "secret"
    short.write_text("whsec_c2hvcnQ=")
    url = {"DISPATCHER_NOTIFY_WEBHOOK_URL": "https://hospital.example/told"}
    mail = {"DISPATCHER_SMTP_URL": "smtps://rides@hospital.example", "DISPATCHER_SMTP_FROM": FROM}
    for told, missing in (
        (url, "SECRET_FILE"),
        (url | {"DISPATCHER_NOTIFY_WEBHOOK_SECRET_FILE": str(short)}, "whsec_"),
        (url | {"DISPATCHER_NOTIFY_WEBHOOK_SECRET_FILE": str(tmp_path / "no")}, "cannot be read"),
        (mail, "PASSWORD_FILE"),
        (mail | {"DISPATCHER_SMTP_FROM": ""}, "SMTP_FROM"),
        ({"DISPATCHER_NOTIFY_COORDINATOR_EMAIL": "ward"}, "no mail address"),
    ):
        with pytest.raises(UserError, match=missing):
            notifier_of(Settings.read(told), clock)
    short.write_text("whsec_" + base64.b64encode(SECRET).decode() + "\n")
    whole = Settings.read(url | {"DISPATCHER_NOTIFY_WEBHOOK_SECRET_FILE": str(short)})
    assert isinstance(notifier_of(whole, clock), Webhook)
    assert notifier_of(Settings.read({}), clock) is None
