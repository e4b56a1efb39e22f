"""Outcomes that their vendors dispute, and ops answers: upheld, they count no more."""

from __future__ import annotations

import asyncio
from datetime import date

from client.ops import OpsClient
from client.vendor import VendorClient
from contracts.codes import Role
from contracts.instants import DAY_MS
from contracts.scorecards import Disputable
from dispatcher.audit.judge import judge
from dispatcher.domain.scorecards import day_of
from dispatcher.jobs.timers import Timers
from dispatcher.store.scorecards import sum_of
from dispatcher.store.survey import survey
from tests.http.conftest import Api
from tests.http.test_privacy import everything_told, logged  # noqa: F401  (a fixture)
from tests.http.test_scorecards import CARD, TEXT, as_vendor, behind, counts, declined, worked


async def test_a_dispute_that_is_upheld_counts_no_more_from_then_on(api: Api) -> None:
    await worked(api, "r1", late_minutes=40)
    said = {"offer_id": "r1.1", "outcome": "late", "text": TEXT}
    status, made = await as_vendor(api, "POST", f"{CARD}/disputes", said)
    assert (status, made["state"], made["text"], made["minutes"]) == (201, "open", TEXT, 40)
    assert (await as_vendor(api, "POST", f"{CARD}/disputes", said))[0] == 409, "there is one already"
    (row,) = await behind(api, "late")
    assert (row["dispute_id"], row["dispute"]) == (made["id"], "open")
    _, page = await api.call("GET", "/tasks", role=Role.OPS)
    (task,) = page["tasks"]
    assert (task["kind"], task["owner"], task["vendor_id"], task["offer_id"], task["code"]) == (
        "score_dispute", "ops", "v1", "r1.1", "late",
    )  # fmt: skip
    assert (await api.call("POST", f"/tasks/{task['id']}/finish", {}, role=Role.OPS))[0] == 409
    answer, path = {"upheld": True, "reason": "the gate was locked"}, f"{CARD}/disputes/{made['id']}/answer"
    assert (await as_vendor(api, "POST", path, answer))[0] == 403
    told = await asyncio.gather(*(api.call("POST", path, answer, role=Role.OPS) for _ in range(4)))
    assert [(status, each["state"], each["reason"]) for status, each in told] == [
        (200, "upheld", answer["reason"])
    ] * 4
    assert (await api.call("POST", path, answer | {"upheld": False}, role=Role.OPS))[0] == 409
    ben = f"Bearer {api.token(Role.OPS, subject='ben')}"
    status, problem = await api.call("POST", path, answer | {"reason": "so I think"}, Authorization=ben)
    assert (status, "was answered by ops: upheld" in problem["detail"]) == (409, True), (
        "ben's reason is kept nowhere"
    )
    _, card = await as_vendor(api, "GET", CARD)
    assert (counts(card["all"]), card["upheld"]) == ({"offers": 1, "accepted": 1}, 1)
    assert ([each["offer_id"] for each in await behind(api, "upheld")], await behind(api, "late")) == (
        ["r1.1"],
        [],
    )
    days = await api.store.market(api.market).scorecards.days([day_of(api.clock.ms)])
    assert {name: count for name, count in sum_of(days.values())["v1"].items() if count} == {"accepted": 1}
    _, page = await as_vendor(api, "GET", f"{CARD}/disputes")
    assert [each["state"] for each in page["disputes"]] == ["upheld"]
    _, task = await api.call("GET", f"/tasks/{task['id']}", role=Role.OPS)
    assert (task["state"], task["outcome"]) == ("done", "settled")
    _, acts = await api.call("GET", "/audit?group=vendors", role=Role.OPS)
    assert [each["detail"] for each in acts["acts"] if each["act"] == "answer_dispute"] == ["v1 upheld"]
    assert judge(await survey(api.store.reader, api.market)) == []


async def test_a_vendors_client_and_ops_client_do_the_same(api: Api) -> None:
    await worked(api, "r1", late_minutes=40)
    root = str(api.client.make_url("/"))
    async with (
        VendorClient(root, api.token(Role.VENDOR, vendor="v1"), api.market) as van,
        OpsClient(root, api.token(Role.OPS), api.market) as ops,
    ):
        card = await van.scorecard("v1", date(2026, 3, 1), date(2026, 3, 2))
        assert (card.first, card.last, card.all.arrivals) == (date(2026, 3, 1), date(2026, 3, 2), 1)
        (late,) = [each async for each in van.score_requests("v1", "late")]
        made = await van.dispute_score("v1", late.offer_id, Disputable.LATE, TEXT)
        answered = await ops.answer_score_dispute("v1", made.id, "it was locked", upheld=True)
        assert [each async for each in van.score_disputes("v1")] == [answered]
        assert [each async for each in ops.score_requests("v1", "late")] == []


async def test_a_dispute_is_there_once_however_often_and_by_how_many_it_is_sent(api: Api) -> None:
    await declined(api, "r1")
    said = {"offer_id": "r1.1", "outcome": "declined", "text": TEXT}
    told = await asyncio.gather(*(as_vendor(api, "POST", f"{CARD}/disputes", said) for _ in range(6)))
    assert sorted(status for status, _ in told) == [201] + [409] * 5
    await declined(api, "r2")
    other, key = said | {"offer_id": "r2.1"}, {"Idempotency_Key": "same"}
    for _ in range(2):
        status, _ = await api.call("POST", f"{CARD}/disputes", other, role=Role.VENDOR, vendor="v1", **key)
        assert status == 201
    _, page = await as_vendor(api, "GET", f"{CARD}/disputes?limit=1")
    _, rest = await as_vendor(api, "GET", f"{CARD}/disputes?cursor={page['cursor']}")
    assert [each["offer_id"] for each in page["disputes"] + rest["disputes"]] == ["r1.1", "r2.1"]
    assert judge(await survey(api.store.reader, api.market)) == []


async def test_a_dispute_that_is_not_upheld_changes_nothing(api: Api) -> None:
    await declined(api, "r1")
    said = {"offer_id": "r1.1", "outcome": "declined", "text": TEXT}
    _, made = await as_vendor(api, "POST", f"{CARD}/disputes", said)
    path = f"{CARD}/disputes/{made['id']}/answer"
    status, view = await api.call("POST", path, {"upheld": False, "reason": "a van stood by"}, role=Role.OPS)
    assert (status, view["state"]) == (200, "not_upheld")
    assert counts((await as_vendor(api, "GET", CARD))[1]["all"])["declined"] == 1
    assert (await as_vendor(api, "POST", f"{CARD}/disputes", said))[0] == 409, "it stays so"


async def fire(api: Api, days: int) -> None:
    """So many days later, and all timers with it."""
    api.clock.ms += days * DAY_MS
    while await Timers(api.service).fire_due(api.market):
        pass


async def test_an_outcome_is_disputed_long_after_its_request_is_forgotten_and_its_text_told_to_nobody(
    api: Api,
    logged: list[str],  # noqa: F811
) -> None:
    await worked(api, "r1", late_minutes=40)
    await fire(api, 50)
    assert (await api.call("GET", "/requests/r1", role=Role.OPS))[0] == 404
    said = {"offer_id": "r1.1", "outcome": "late", "text": TEXT}
    _, made = await as_vendor(api, "POST", f"{CARD}/disputes", said)
    await as_vendor(api, "POST", f"{CARD}/disputes", said | {"outcome": "slow"})
    await as_vendor(api, "POST", f"{CARD}/disputes", said)
    path = f"{CARD}/disputes/{made['id']}/answer"
    assert (await api.call("POST", path, {"upheld": True, "reason": TEXT}, role=Role.OPS))[0] == 200
    assert "Nightingale" not in await everything_told(api) + "\n".join(logged)
    found = await survey(api.store.reader, api.market)
    assert (judge(found), found.sealed["dev"].comments) == ([], 2), "its key is not retired"
    assert (await as_vendor(api, "GET", f"{CARD}/disputes"))[1]["disputes"][0]["text"] == TEXT
    await fire(api, 99)
    assert len((await as_vendor(api, "GET", f"{CARD}/disputes"))[1]["disputes"]) == 1
    await fire(api, 2)
    assert (await as_vendor(api, "GET", f"{CARD}/disputes"))[1]["disputes"] == []
    assert judge(await survey(api.store.reader, api.market)) == []


async def test_a_dispute_that_nobody_answers_is_not_forgotten(api: Api) -> None:
    await declined(api, "r1")
    said = {"offer_id": "r1.1", "outcome": "declined", "text": TEXT}
    await as_vendor(api, "POST", f"{CARD}/disputes", said)
    await fire(api, 120)
    assert (await as_vendor(api, "GET", f"{CARD}/disputes"))[1]["disputes"][0]["state"] == "open"
    assert judge(await survey(api.store.reader, api.market)) == []
