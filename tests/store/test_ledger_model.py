"""The ledger of the script against a plain model, booking by booking."""

import itertools

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.codes import ServiceClass
from contracts.pools import Pool, Pools
from dispatcher.domain.booking import Booking
from dispatcher.serve.embedded import EmbeddedRedis
from dispatcher.store import codec, ledger
from dispatcher.store.keys import Keys
from dispatcher.store.ledger import LedgerKey
from dispatcher.store.outcome import Status
from dispatcher.store.program import Program
from dispatcher.store.store import Store
from tests.examples import examples
from tests.store.conftest import RING
from tests.store.made import DAY

VANS = LedgerKey("v1", "vans", DAY.isoformat())
_numbers = itertools.count()

bookings = st.builds(
    Booking,
    vendor_id=st.just("v1"),
    pool_id=st.just("vans"),
    day=st.just(DAY.isoformat()),
    first=st.integers(0, 299),
    count=st.integers(1, 40),
    units=st.sampled_from([1, 2, 255, 256, 700]),
    daily=st.integers(0, 1),
)
commits = st.lists(
    st.tuples(st.lists(st.integers(0, 9), max_size=2), st.lists(bookings, max_size=3)),
    min_size=1,
    max_size=12,
)


class Model:
    """Cells as numbers, and what is held."""

    def __init__(self, limit: tuple[int, ...]) -> None:
        self.limit = limit
        self.used = [0] * ledger.CELLS
        self.held: list[Booking] = []

    def commit(self, release: list[Booking], take: list[Booking]) -> bool:
        used = [*self.used, *[0] * 40]
        limit = [*self.limit, *[0] * 40]
        for booking, sign in [*((booking, -1) for booking in release), *((booking, 1) for booking in take)]:
            used[0] += sign * booking.daily
            for cell in range(1 + booking.first, 1 + booking.first + booking.count):
                used[cell] += sign * booking.units
        touched = {0} if any(booking.daily for booking in take) else set()
        touched |= {1 + booking.first + step for booking in take for step in range(booking.count)}
        if any(used[cell] > limit[cell] for cell in touched):
            return False
        self.used = used[: ledger.CELLS]
        self.held = [booking for booking in self.held if not any(booking is gone for gone in release)] + take
        return True


@given(
    commits=commits,
    units=st.lists(st.sampled_from([0, 1, 3, 256, 1000]), min_size=24, max_size=24),
    cap=st.integers(0, 6),
)
@settings(
    max_examples=examples(30),
    deadline=None,  # as in test_resp: a slow machine draws slowly, and is right all the same
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
async def test_the_script_books_exactly_what_the_model_books(
    server: EmbeddedRedis, commits: list[tuple[list[int], list[Booking]]], units: list[int], cap: int
) -> None:
    pool = Pool(id="vans", serves=(ServiceClass.WHEELCHAIR,), units=tuple(units), daily_cap=cap)
    async with Store(server.url, RING) as store:
        market = store.market(f"model{next(_numbers)}")
        await market.capacity.put("v1", DAY, Pools(pools=(pool,)))
        limit, _ = (await market.capacity.ledger([VANS]))[VANS]
        model = Model(ledger.unpack(limit))
        for number, (gone, take) in enumerate(commits):
            release = [model.held[place] for place in sorted(set(gone)) if place < len(model.held)]
            fits = model.commit(release, take)
            outcome = await store.committer.commit(program(market.keys, number, release, take))
            assert outcome.status is (Status.OK if fits else Status.FULL)
            _, used = (await market.capacity.ledger([VANS]))[VANS]
            assert list(ledger.unpack(used)) == model.used


def program(keys: Keys, number: int, release: list[Booking], take: list[Booking]) -> Program:
    made = Program()
    made.document("n", keys.prefix + f"n{number}", 0, codec.pack(1, number))
    for booking in release:
        made.unbook(keys, booking)
    for booking in take:
        made.book(keys, booking)
    return made
