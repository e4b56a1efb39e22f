"""Every key name, in one place. The braces make the market the hash tag: one slot of a cluster holds it."""

from __future__ import annotations

from contracts import streams
from contracts.codes import RequestState

DEAD = "dead"
WELL, BADLY = "well", "badly"


class Keys:
    """The keys of one market; docs/design.md says what each holds."""

    def __init__(self, market: str) -> None:
        """`market` is an `Id`: it holds no brace and no colon."""
        self.market = market
        self.prefix = prefix = streams.prefix(market)
        self.events, self.matches = streams.events(market), streams.matches(market)
        self.replies, self.dead, self.wake = streams.replies(market), prefix + DEAD, streams.wake(market)
        self.lease, self.fence = prefix + "lease", prefix + "fence"
        self.timers, self.tuning, self.vendors = prefix + "timers", prefix + "tuning", prefix + "vendors"
        self.capacities = prefix + "capacities"

    def record(self, request_id: str) -> str:
        """The request's record: a document."""
        return f"{self.prefix}r:{request_id}"

    def body(self, request_id: str) -> str:
        """The request as it came, and its sealed patient block."""
        return f"{self.prefix}b:{request_id}"

    def index(self, state: RequestState) -> str:
        """Requests in one state, by time received."""
        return f"{self.prefix}i:{state.value}"

    def vendor(self, vendor_id: str) -> str:
        """A vendor: a document."""
        return f"{self.prefix}v:{vendor_id}"

    def stream(self, vendor_id: str) -> str:
        """What one vendor reads."""
        return streams.vendor(self.market, vendor_id)

    def offers(self, vendor_id: str) -> str:
        """A vendor's open offers and dispatches, by start."""
        return f"{self.prefix}o:{vendor_id}"

    def marks(self, month: str) -> str:
        """A month's marks: how many pieces of each vendor's work went well, and badly."""
        return f"{self.prefix}marks:{month}"

    def capacity(self, vendor_id: str, day: str) -> str:
        """A day's capacity as posted: a document."""
        return f"{self.prefix}c:{vendor_id}:{day}"

    def limit(self, vendor_id: str, pool_id: str, day: str) -> str:
        """A pool's posted units: a ledger."""
        return f"{self.prefix}limit:{vendor_id}:{pool_id}:{day}"

    def used(self, vendor_id: str, pool_id: str, day: str) -> str:
        """A pool's booked units: a ledger."""
        return f"{self.prefix}used:{vendor_id}:{pool_id}:{day}"

    def command(self, digest: str) -> str:
        """A command id or idempotency key that was committed."""
        return f"{self.prefix}k:{digest}"
