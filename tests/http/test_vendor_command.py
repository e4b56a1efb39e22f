"""`dispatcher vendor`: each word does over HTTP what it says, tells people in lines and programs in JSON."""

from __future__ import annotations

import asyncio
import io
import json
from argparse import Namespace
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from client.vendor import VendorClient
from contracts.codes import Role, ServiceClass
from contracts.instants import HOUR_MS
from contracts.why_vendor import LostToRule, Remedy, VendorWhy
from dispatcher import cli
from dispatcher.cli._vendor.own import _watch
from dispatcher.cli._vendor.shown import table
from dispatcher.cli._vendor.statement import month_at
from dispatcher.cli._vendor.why import _lines
from tests.http.conftest import Api, trip
from tests.http.test_by_hand import AT, DAY, add, put_to
from tests.http.test_proofs import PNG
from tests.http.test_versions import POOLS

Said = tuple[int, str, str]
Typed = Callable[..., Awaitable[Said]]
PATIENT = {"name": "CANARY Mr Wren", "phone": "+1-555-0100", "pickup_address": "1 Imaginary Street"}


@pytest.fixture
def typed(api: Api, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Typed:
    """Types words as v1, in a process's place: the code, and what was printed."""
    monkeypatch.setenv("VENDOR_URL", str(api.client.make_url("")))
    monkeypatch.setenv("VENDOR_MARKET", api.market)

    async def type_it(*words: str) -> Said:
        monkeypatch.setenv("VENDOR_TOKEN", api.token(Role.VENDOR, vendor="v1"))
        with capture_logs():  # of the service, which is in this process
            code = await asyncio.to_thread(cli.main, ["vendor", *words])
        said = capsys.readouterr()
        return code, said.out, said.err

    return type_it


@pytest.fixture
async def town(api: Api) -> Api:
    """A vendor with a van; a ride tomorrow at ten, put to it."""
    await add(api, "v1")
    await api.call("POST", "/requests", trip("r1", patient=PATIENT))
    assert (await put_to(api, "v1"))[0] == 200
    return api


async def test_the_lists_say_what_is_unread_and_a_days_list_has_what_is_over(town: Api, typed: Typed) -> None:
    await typed("accept", "r1.1")
    assert (await town.call("POST", "/dispatches/r1.1/messages", {"text": "CANARY at the side door"}))[
        0
    ] == 200
    for words in (("list",), ("rides", "--day", DAY)):
        code, out, _ = await typed(*words)
        assert (code, out.count("r1.1"), out.count("1 new message")) == (0, 1, 1)
    assert out.endswith("together $45.00\n")
    assert json.loads((await typed("list", "--json"))[1])["unread"] == {"r1.1": 1}
    town.clock.ms = int(AT.timestamp() * 1000)
    await typed("report", "r1.1", "no_show", "--code", "NO_CLIENT")
    assert "r1.1" not in (await typed("list"))[1]
    code, out, _ = await typed("rides", "--day", DAY)
    assert out.splitlines()[-1] == "together $0.00", "its card has no fee for a passenger who was not there"
    code, out, _ = await typed("rides")
    assert (code, "no_show" in out, PATIENT["name"] in out) == (0, True, True)
    (row,) = json.loads((await typed("rides", "--json"))[1])["dispatches"]
    assert (row["id"], row["unread"]) == ("r1.1", 1)
    code, out, _ = await typed("statement", "--month", DAY[:7])
    assert (code, "no_show" in out, out.splitlines()[-1]) == (0, True, "together $0.00, not final yet")
    code, out, _ = await typed("statement")
    assert (code, f"nothing of {month_at('America/New_York', datetime.now(UTC))} is over yet" in out) == (
        0,
        True,
    )
    code, out, _ = await typed("rides", "--day", "2026-03-01")
    assert (code, out) == (0, "you had and have nothing on 2026-03-01\n")


def test_the_month_is_the_one_that_it_is_where_the_market_is() -> None:
    half_past_six = datetime(2026, 11, 30, 18, 30, tzinfo=UTC)
    assert month_at("Asia/Kathmandu", half_past_six) == "2026-12"
    assert month_at("America/New_York", half_past_six) == "2026-11"


async def test_a_ride_goes_from_its_offer_to_its_end_by_typed_words(
    town: Api, typed: Typed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out, _ = await typed("offers")
    assert (code, out.splitlines()[0].split()[:2]) == (0, ["offer", "start"])
    assert "r1.1" in out
    assert "wheelchair" in out
    assert "CANARY" not in out
    assert (await typed("list"))[1] == "you have nothing to do\n"
    code, out, _ = await typed("accept", "r1.1", "--reference", "van 7")
    assert code == 0
    assert "r1.1 is yours" in out
    assert (await typed("offers"))[1] == "nothing is offered to you now\n"
    assert "r1.1" in (await typed("list"))[1]
    code, out, _ = await typed("show", "r1.1")
    assert "1 Imaginary Street" in out
    town.clock.ms = int(AT.timestamp() * 1000)
    assert await typed("report", "r1.1", "en_route") == (0, "r1.1: en_route\n", "")
    assert (await typed("report", "r1.1", "at_pickup"))[0] == 0
    assert "waited" in (await typed("waiting", "r1.1"))[1]
    town.clock.ms += HOUR_MS
    code, out, _ = await typed("ready", "r1.1")
    assert "waiting" in out.split()
    line = next(each.split()[0] for each in out.splitlines() if " waiting " in each)
    monkeypatch.setattr("sys.stdin", io.StringIO("nobody waited"))
    assert "dispute 1 of line" in (await typed("dispute", "r1.1", line, "-"))[1]
    picture = tmp_path / "signature.png"
    picture.write_bytes(PNG)
    signed = ("--signed-by", "CANARY Wren", "--relationship", "spouse", "--position", "40.76,-73.95")
    code, out, err = await typed("proof", "r1.1", "dropoff", *signed, "--picture", str(picture))
    assert (code, "a picture of the dropoff: signature" in out) == (0, True), err
    assert "nobody has written" in (await typed("messages", "r1.1"))[1]
    assert "at the side door" in (await typed("messages", "r1.1", "--say", "at the side door"))[1]
    for status in ("on_board", "completed"):
        assert (await typed("report", "r1.1", status))[0] == 0
    _, view = await town.call("GET", "/requests/r1")
    assert view["state"] == "completed"
    code, out, _ = await typed("dispute-item", DAY[:7], "r1.1", "1", "it was two trips")
    assert (code, "line 1 of r1.1: disputed" in out) == (0, True)
    _, proof = await town.call("GET", "/dispatches/r1.1/proof", role=Role.OPS)
    assert proof["parts"][0]["report"]["position"] == [-73.95, 40.76]
    _, price = await town.call("GET", "/dispatches/r1.1/price")
    assert price["disputes"][0]["text"] == "nobody waited"


async def test_an_offer_is_countered_or_declined_by_typed_words_and_programs_get_the_services_answer(
    town: Api, typed: Typed
) -> None:
    code, out, _ = await typed("counter", "r1.1", "--price", "99.50", "--json")
    offer = json.loads(out)
    assert (code, offer["state"], offer["counter"]["price_cents"]) == (0, "requested", 9_950)
    assert "your counter-offer: pending" in (await typed("offers"))[1]
    code, out, _ = await typed("decline", "r1.1", "bad_weather", "--json")
    assert (code, json.loads(out)["state"]) == (0, "rejected")
    code, out, _ = await typed("scorecard")
    (row,) = [each.split() for each in out.splitlines() if each.startswith("declined.BAD_WEATHER")]
    assert (code, row[1:3], row[-1]) == (0, ["1", "1"], "few")
    code, out, _ = await typed("scorecard", "--behind", "declined", "--from", "2026-03-01")
    assert (code, out.splitlines()[1].split()[0]) == (0, "r1.1")
    code, out, _ = await typed("dispute-score", "r1.1", "declined", "there was a flood")
    assert (code, "r1.1 declined: open" in out) == (0, True)
    assert "r1.1" in (await typed("scorecard", "--disputes"))[1]
    code, out, _ = await typed("why", "--days", "1")
    assert (code, "you lost none to a rule" in out) == (0, True)
    code, _, err = await typed("accept", "r1.1")
    assert code == 1
    assert err.startswith("dispatcher: ")
    assert len(err.splitlines()) == 2
    assert "Traceback" not in err


async def test_capacity_is_seen_posted_and_copied_and_papers_are_claimed(
    town: Api, typed: Typed, tmp_path: Path
) -> None:
    code, out, _ = await typed("capacity", DAY)
    assert (code, "1" in out) == (0, True)
    other = "2026-03-10"
    assert (await typed("capacity", other))[1] == f"nothing is posted for {other}\n"
    assert (await typed("capacity", other, "--like", DAY))[0] == 0
    (tmp_path / "pools.json").write_text(json.dumps(POOLS))
    code, out, _ = await typed("capacity", other, "--file", str(tmp_path / "pools.json"), "--json")
    _, found = await town.call("GET", f"/vendors/v1/capacity/{other}", role=Role.OPS)
    assert (code, json.loads(out)["pools"][0]["id"]) == (0, found["pools"][0]["id"])
    code, out, _ = await typed(
        "papers", "--add", "auto_insurance", "--until", "2099-01-02", "--document", "policy 7"
    )
    assert "2099-01-02      policy 7  none  not yet" in out
    sent, got = tmp_path / "policy.pdf", tmp_path / "again.pdf"
    sent.write_bytes(b"%PDF-1.7 CANARY")
    code, out, _ = await typed("papers", "--send", "auto_insurance", "--file", str(sent))
    assert (code, "policy 7  15 bytes, " in out) == (0, True)
    words = ("papers", "--get", "auto_insurance", "--file", str(got))
    assert ((await typed(*words))[0], got.read_bytes()) == (0, sent.read_bytes())
    code, _, err = await typed(*words)
    assert (code, "name a file that is not there yet" in err) == (1, True)
    _, vendor = await town.call("GET", "/vendors/v1", role=Role.OPS)
    assert "2099-01-02" in [each["expires_on"] for each in vendor["credentials"]]


async def test_what_happens_is_told_as_it_happens(town: Api, capsys: pytest.CaptureFixture[str]) -> None:
    said = ""
    token, url = town.token(Role.VENDOR, vendor="v1"), str(town.client.make_url(""))
    async with VendorClient(url, token, town.market) as vendor:
        for as_json in (False, True):
            watching = asyncio.create_task(_watch(vendor, Namespace(after="0-0", json=as_json)))
            while "offer.made" not in said:
                await asyncio.sleep(0.01)
                said += "".join(each for each in capsys.readouterr().out.splitlines(True) if "r1" in each)
            watching.cancel()
            assert "  offer.made  " in said or json.loads(said)["event"]["subject"] == "r1.1"
            said = ""


async def test_what_the_service_refuses_is_told_in_two_lines(town: Api, typed: Typed) -> None:
    for words, told in (
        (["accept", "r9.1"], "r9.1"),
        (["capacity", DAY, "--like", "2031-01-01"], "nothing was posted"),
        (["offers", "--market", "nowhere"], "nowhere"),
        (["show", "r1.1"], "r1.1"),
    ):
        code, out, err = await typed(*words)
        assert (code, out, told in err) == (1, "", True), err
        assert len(err.splitlines()) == 2


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["counter", "r1.1"], "nothing is countered"),
        (["counter", "r1.1", "--start", "2026-03-02T10:00:00"], "has no offset"),
        (["counter", "r1.1", "--start", "soon"], "is no instant such as"),
        (["counter", "r1.1", "--price", "1.005"], "whole cents"),
        (["counter", "r1.1", "--price", "dear"], "no price in dollars"),
        (["decline", "r1.1", "tired"], "NO_VEHICLES_AVAILABLE"),
        (["accept", ".."], "'..' is no id"),
        (["proof", "r1.1", "--picture", "x.png"], "--picture goes with a part"),
        (["proof", "r1.1", "pickup", "--signed-by", "Wren"], "a signature says"),
        (["proof", "r1.1", "delivery", "--item", "oxygen"], "is no item such as"),
        (["proof", "r1.1", "pickup", "--position", "here"], "is no position such as"),
        (["capacity", DAY, "--like", DAY, "--file", "-"], "two answers"),
        (["papers", "--add", "auto_insurance"], "go together"),
        (["papers", "--send", "auto_insurance"], "--file goes with"),
        (["papers", "--send", "cpr_first_aid", "--get", "cpr_first_aid"], "three things"),
        (["offers", "--market", ""], "VENDOR_MARKET"),
    ],
)
def test_what_cannot_be_meant_is_told_before_anybody_is_called(
    words: list[str], told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in (("URL", "http://127.0.0.1:9"), ("TOKEN", "t"), ("MARKET", "m")):
        monkeypatch.setenv(f"VENDOR_{name}", value)
    assert cli.main(["vendor", *words]) == 2
    said = capsys.readouterr()
    assert (said.out, told in said.err) == ("", True), said.err


def test_without_a_token_or_a_place_it_says_how_to_give_them(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("VENDOR_URL", "VENDOR_TOKEN", "VENDOR_MARKET"):
        monkeypatch.delenv(name, raising=False)
    for words, name in (([], "VENDOR_URL"), (["--url", "http://x", "--market", "m"], "VENDOR_TOKEN")):
        assert cli.main(["vendor", "offers", *words]) == 2
        assert name in capsys.readouterr().err


def test_what_others_wrote_does_not_move_the_cursor() -> None:
    assert table(("a", "b"), [("\x1b[2J", "\u202ex")], empty="") == ["a        b", "\\x1b[2J  \\u202ex"]


def test_why_there_are_no_offers_is_told_with_what_would_change_it() -> None:
    remedy = Remedy(says="set max_weight_kg to ≥ 180", requests=14)
    needs = LostToRule(
        rule="needs",
        says="the passenger needs more than you carry",
        requests=14,
        services={ServiceClass.WHEELCHAIR: 14},
        remedies=(remedy,),
    )
    day = date(2026, 3, 2)
    lost = VendorWhy(
        vendor_id="v1", first_day=day, last_day=day, decided=20, offered=4, others=2, lost=(needs,)
    )
    said = list(_lines(lost))
    assert said[0] == "2026-03-02 to 2026-03-02: 20 requests were decided"
    assert said[3].split()[:2] == ["needs", "14"]
    assert said[3].endswith("wheelchair")
    assert said[4] == "needs: set max_weight_kg to ≥ 180 (14 requests)"
