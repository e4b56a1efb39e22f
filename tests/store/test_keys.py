"""Every key has a name: what looks at a market as a whole misses nothing that the service wrote."""

from collections import Counter

import pytest
from redis.asyncio import Redis

from dispatcher.audit.auditor import audit
from dispatcher.domain.fairness import day_of
from dispatcher.domain.kinds import kinds
from dispatcher.store import keys as parts
from dispatcher.store.footprint import open_request_bytes
from dispatcher.store.keys import Keys
from dispatcher.store.market import MarketStore
from dispatcher.store.store import Store
from dispatcher.store.survey import Survey, survey
from dispatcher.store.webhooks import PARTS as WEBHOOK_PARTS
from tests.store.busy import NAMES, NOW_MS, OFFERED, Busy
from tests.store.conftest import everything

ENDED = {"cancelled", "done", "nobody"}


@pytest.fixture
async def busy(store: Store, market: MarketStore) -> Busy:
    played = Busy(store, market)
    await played.play()
    return played


async def found(busy: Busy) -> Survey:
    return await survey(busy.store.reader, busy.name, streams=True)


def first_parts(keys: Keys, *names: str) -> set[str]:
    return {keys.parted(each)[0] for each in names}


def of_the_store(keys: Keys) -> set[str]:
    """First parts of what the store keeps beside records."""
    single = [each for each in vars(keys).values() if each.startswith(keys.prefix) and each != keys.prefix]
    many = [keys.vendor("x"), keys.stream("x"), keys.aside("x"), keys.scorecards("x"), keys.calls("x")]
    many += [keys.outcomes("x", "x"), keys.statement("x", "x")]
    many += [keys.of_webhook(part, "x") for part in WEBHOOK_PARTS]
    many += [keys.losses("x", "x"), keys.cap_limits("x"), keys.spent("x", "2026"), keys.fairness("x")]
    many += [keys.patterns("x"), keys.command("x"), keys.what_if("x"), keys.decided("x")]
    many += [keys.acceptance("x")]
    return first_parts(keys, *single, *many, keys.capacity("x", "x"), keys.limit(*"xyz"), keys.used(*"xyz"))


def of_a_matcher(keys: Keys) -> tuple[str, ...]:
    """What a matcher writes of what it decides."""
    return keys.decisions, keys.seals, keys.decided("x")


def of_kinds(keys: Keys, look: Survey) -> set[str]:
    """First parts of records, bodies and the lists that records stand in."""
    names = set[str]()
    for kind in kinds():
        names |= {keys.record(kind, "x"), keys.list(kind.timers)}
        names |= {keys.body(kind, "x")} if kind.body else set()
        for stored in look.records[kind.name].values():
            names |= {keys.list(entry.list) for entry in kind.lists(stored.value)}
    return first_parts(keys, *names)


async def test_every_key_that_the_service_writes_has_a_name(busy: Busy, raw: Redis, keys: Keys) -> None:
    written = first_parts(keys, *(name.decode() for name in await everything(raw, keys)))
    named = of_the_store(keys) | of_kinds(keys, await found(busy))
    assert written <= named
    unused = first_parts(keys, keys.wake, keys.exhausted, keys.pulse, *of_a_matcher(keys), keys.views)
    assert named - written == unused, "all but what a matcher writes and the hint, and it has lost no stream"


async def test_no_kind_takes_a_name_of_the_store_or_of_another_kind(keys: Keys) -> None:
    taken = Counter(of_the_store(keys))
    for kind in kinds():
        taken.update({kind.key, kind.timers} | ({kind.body} if kind.body else set()))
    assert [name for name, times in taken.items() if times > 1] == []


async def test_the_survey_sees_every_key(busy: Busy, raw: Redis, keys: Keys) -> None:
    look = await found(busy)
    seen = {keys.list(name) for name in look.lists}
    for kind in kinds():
        seen |= {keys.record(kind, each) for each in look.records[kind.name]}
        seen |= {keys.body(kind, each) for each in look.bodies.get(kind.name, ())}
    seen |= {keys.used(*each) for each in look.used} | {keys.limit(*each) for each in look.limits}
    seen |= set(look.heard)
    left = {each.decode() for each in await everything(raw, keys)} - seen
    aside = {
        parts.VENDORS,
        parts.CAPACITY,
        parts.COMMANDS,
        parts.SCORECARDS,
        parts.OUTCOMES,
        parts.STATEMENT,
        parts.PATTERNS,
        parts.FAIRNESS,
        parts.ACCEPTANCE,
        parts.CALLS,
        parts.CAP_LIMITS,
        parts.LOSSES,
        parts.SPENT,
        *WEBHOOK_PARTS,
    }  # what no promise is judged by
    single = {keys.tuning, keys.tuning_version(1), keys.tuning_newest}
    single |= {keys.what_ifs, keys.what_if("wi-1")}
    single |= {keys.vendors, keys.capacities, keys.lease, keys.fence, keys.dead, keys.matchers}
    single |= {
        keys.formats,
        keys.sends_nothing,
        keys.rings,
        keys.patient_keys,
        keys.troubles,
        keys.measures,
        keys.shared_replies,
        keys.replies("v1"),
        keys.aside("v1"),
        keys.webhooks_lease,
        keys.webhooks_fence,
        keys.jobs_lease,
        keys.jobs_fence,
        keys.unsealed,
    }
    assert {name for name in left if keys.parted(name)[0] not in aside} == single
    assert look.records["request"].keys() == set(NAMES)
    assert look.records["task"].keys() == {
        "nobody.no_show",
        "late.1.overdue",
        "accepted.1.overdue",
        "v1.credential_expiring_background_check",
        "declined.1.score_dispute_declined",
        "riding.1.unread_message",
    }


async def test_a_busy_market_is_sound(busy: Busy) -> None:
    report = await audit(busy.store.reader, busy.name, NAMES, streams=True)
    assert report["findings"] == []
    assert report["requests"] == len(NAMES)


async def test_the_weight_of_an_open_request_is_all_that_is_stored_for_requests(
    store: Store, market: MarketStore, raw: Redis, keys: Keys
) -> None:
    busy = Busy(store, market)
    await busy.open()
    await raw.delete(keys.events)  # what tells of the tuning is of no request
    before = await weigh(raw, keys)
    await busy.submit(*NAMES)
    for name in OFFERED:
        await busy.offer(name)
    await raw.delete(keys.fairness(day_of(NOW_MS)))  # of groups, and of no one request
    grown = await weigh(raw, keys) - before
    weight = await open_request_bytes(raw, busy.name, NAMES, len(NAMES))
    assert weight is not None
    assert sum(weight) == pytest.approx(grown / len(NAMES), abs=2)


async def test_the_tasks_that_requests_make_weigh_too(busy: Busy, raw: Redis, keys: Keys) -> None:
    still_open = sorted(set(NAMES) - ENDED)
    with_tasks = await open_request_bytes(raw, busy.name, still_open, len(NAMES))
    tasks = [name for name in await everything(raw, keys) if keys.parted(name.decode())[0] == "t"]
    grown = sum([await raw.memory_usage(each, samples=0) or 0 for each in tasks])
    for each in tasks:
        await raw.delete(each)
    without = await open_request_bytes(raw, busy.name, still_open, len(NAMES))
    assert with_tasks is not None
    assert without is not None
    assert with_tasks.stored - without.stored == pytest.approx(grown / len(NAMES), abs=2)


async def test_without_open_requests_there_is_no_weight(raw: Redis, keys: Keys) -> None:
    assert await open_request_bytes(raw, keys.market, [], 0) is None


async def weigh(raw: Redis, keys: Keys) -> int:
    """All that is stored of the market, bytes."""
    return sum([await raw.memory_usage(each, samples=0) or 0 for each in await everything(raw, keys)])
