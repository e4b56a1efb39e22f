"""Every key name, in one place. The braces make the market the hash tag: one slot of a cluster holds it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from contracts import streams
from dispatcher.domain.kinds import Kind

VENDORS, CAPACITY, LIMITS, USED, COMMANDS = "v", "c", "limit", "used", "k"  # first parts of keys
SCORECARDS, CAPACITIES, DEAD, ASIDE = "marks", "capacities", "dead", "aside"
OUTCOMES = "outcomes"
STATEMENT = "statement"
PATTERNS = "patterns"
ACCEPTANCE = "acceptance"
CAP_LIMITS, SPENT = "cap-limits", "spent"
LOSSES = "losses"
CALLS = "calls"
FAIRNESS = "fairness"
SETS, PROFILES, STANDING = "tuning-sets", "tuning-profiles", "tuning-standing"
CANARY, SHADOW, SHADOW_FOUND = "tuning-canary", "tuning-shadow", "tuning-shadow-found"
EFFECTS, MEASURING = "tuning-effects", "tuning-measuring"
BESIDE_TUNING = (SETS, PROFILES, STANDING, CANARY, SHADOW, SHADOW_FOUND, EFFECTS, MEASURING)
QUARTERS = "quarters"
WHAT_IFS, WHAT_IF = "what-ifs", "what-if"
TROUBLES, TROUBLE, TUNING, MEASURES = "troubles", "trouble", "tuning", "measures"
VIEWS = "views"
WEBHOOK_AT, WEBHOOK_WAITING, WEBHOOK_LOG = "webhook-at", "webhook-waiting", "webhook-log"
WEBHOOK_DEAD = "webhook-dead"
DECISIONS, DECIDED, SEALS, UNSEALED = "decisions", "decided", "seals", "unsealed"
MESSAGES: frozenset[str] = frozenset({*streams.To, ASIDE})


class Keys:
    """The keys of one market; docs/design.md says what each holds."""

    def __init__(self, market: str) -> None:
        """`market` is an `Id`: it holds no brace and no colon."""
        self.market = market
        self.prefix = prefix = streams.prefix(market)
        self.events, self.matches = streams.events(market), streams.matches(market)
        self.shared_replies, self.dead = streams.shared_replies(market), prefix + DEAD
        self.wake = streams.wake(market)
        self.lease, self.fence = prefix + "lease", prefix + "fence"
        self.matchers, self.pulse = prefix + "matchers", prefix + "pulse"
        self.formats, self.sends_nothing = prefix + "formats", prefix + "sends-nothing"
        self.rings, self.patient_keys = prefix + "rings", prefix + "patient-keys"
        self.tuning, self.vendors = prefix + TUNING, prefix + "vendors"
        self.tuning_newest = prefix + "tuning-newest"
        self.views = prefix + VIEWS
        self.capacities, self.troubles = prefix + CAPACITIES, prefix + TROUBLES
        self.what_ifs = prefix + WHAT_IFS
        self.measures = prefix + MEASURES
        self.exhausted = prefix + streams.EXHAUSTED
        self.webhooks_lease, self.webhooks_fence = prefix + "webhooks-lease", prefix + "webhooks-fence"
        self.jobs_lease, self.jobs_fence = prefix + "jobs-lease", prefix + "jobs-fence"
        self.decisions, self.seals = prefix + DECISIONS, prefix + SEALS
        self.unsealed = prefix + UNSEALED

    def record(self, kind: Kind[Any], record_id: str) -> str:
        """A record: a document."""
        return f"{self.prefix}{kind.key}:{record_id}"

    def body(self, kind: Kind[Any], record_id: str) -> str:
        """What is stored once of a record: a request as it came, and its sealed patient block."""
        return f"{self.prefix}{kind.body}:{record_id}"

    def list(self, name: str) -> str:
        """A sorted list that records stand in: by state, by vendor, by timer."""
        return self.prefix + name

    def vendor(self, vendor_id: str) -> str:
        """A vendor: a document."""
        return f"{self.prefix}{VENDORS}:{vendor_id}"

    def stream(self, vendor_id: str) -> str:
        """What one vendor reads."""
        return streams.vendor(self.market, vendor_id)

    def replies(self, vendor_id: str) -> str:
        """What one vendor writes."""
        return streams.replies(self.market, vendor_id)

    def aside(self, vendor_id: str) -> str:
        """A reply stream of a vendor that takes no more entries, until it is read; "": the shared one."""
        return f"{self.prefix}{ASIDE}:{vendor_id}"

    def reply_streams(self, vendor_ids: Iterable[str]) -> tuple[str, ...]:
        """All that replies may stand on: the shared one first; of each, what was set aside before its own."""
        own = [(self.aside(each), self.replies(each)) for each in vendor_ids]
        return tuple(name for pair in ((self.aside(""), self.shared_replies), *own) for name in pair)

    def writer_of(self, stream: str) -> str:
        """Whose replies stand in a stream; "" for the one that all vendors share."""
        return self.parted(stream)[1]

    def scorecards(self, period: str) -> str:
        """What became of vendors' work on a day (in a month, before): counts by vendor, level and outcome."""
        return f"{self.prefix}{SCORECARDS}:{period}"

    def outcomes(self, vendor_id: str, day: str) -> str:
        """What stands behind a vendor's counts of a day: an entry an outcome."""
        return f"{self.prefix}{OUTCOMES}:{vendor_id}:{day}"

    def statement(self, vendor_id: str, day: str) -> str:
        """What a vendor's work of a local day comes to: an item a dispatch, and a correction."""
        return f"{self.prefix}{STATEMENT}:{vendor_id}:{day}"

    def acceptance(self, week: str) -> str:
        """How vendors answered offers in a week: counts by vendor, cell and answer."""
        return f"{self.prefix}{ACCEPTANCE}:{week}"

    def cap_limits(self, vendor_id: str) -> str:
        """A vendor's caps as numbers, by payer, period and unit."""
        return f"{self.prefix}{CAP_LIMITS}:{vendor_id}"

    def spent(self, vendor_id: str, year: str) -> str:
        """What is counted of a vendor's work in a year, by payer, period and unit."""
        return f"{self.prefix}{SPENT}:{vendor_id}:{year}"

    def losses(self, vendor_id: str, day: str) -> str:
        """How a vendor fared with what was decided on a local day: counts by rule."""
        return f"{self.prefix}{LOSSES}:{vendor_id}:{day}"

    def patterns(self, week: str) -> str:
        """What kept requests from their service that ended in a week: counts by barrier and where."""
        return f"{self.prefix}{PATTERNS}:{week}"

    def fairness(self, day: str) -> str:
        """How groups of requests fared on a day (UTC): counts by group."""
        return f"{self.prefix}{FAIRNESS}:{day}"

    def quarters(self, day: str) -> str:
        """What became of the offers made on a day (UTC): counts by quarter of an hour."""
        return f"{self.prefix}{QUARTERS}:{day}"

    def calls(self, month: str) -> str:
        """When will-calls were called in a month: counts by kind of day and hour."""
        return f"{self.prefix}{CALLS}:{month}"

    def capacity(self, vendor_id: str, day: str) -> str:
        """A day's capacity as posted: a document."""
        return f"{self.prefix}{CAPACITY}:{vendor_id}:{day}"

    def limit(self, vendor_id: str, pool_id: str, day: str) -> str:
        """A pool's posted units: a ledger."""
        return f"{self.prefix}{LIMITS}:{vendor_id}:{pool_id}:{day}"

    def used(self, vendor_id: str, pool_id: str, day: str) -> str:
        """A pool's booked units: a ledger."""
        return f"{self.prefix}{USED}:{vendor_id}:{pool_id}:{day}"

    def command(self, digest: str) -> str:
        """A command id or idempotency key that was committed."""
        return f"{self.prefix}{COMMANDS}:{digest}"

    def what_if(self, name: str) -> str:
        """The answer of one what-if."""
        return f"{self.prefix}{WHAT_IF}:{name}"

    def tuning_version(self, version: int) -> str:
        """One version of the tuning, kept for a while: a document."""
        return f"{self.tuning}:{version}"

    def decided(self, day: str) -> str:
        """The last saved decision of a local day on each request."""
        return f"{self.prefix}{DECIDED}:{day}"

    def beside_tuning(self, what: str) -> str:
        """A document of which a market has one: its saved sets, for one."""
        return self.prefix + what

    def of_webhook(self, part: str, webhook_id: str) -> str:
        """What is kept of a webhook beside its record: how far it came, what waits, the log, what is dead."""
        return f"{self.prefix}{part}:{webhook_id}"

    def trouble(self, loop: str) -> str:
        """Why a loop of this market fails now; gone once it works."""
        return f"{self.prefix}{TROUBLE}:{loop}"

    def parted(self, key: str) -> tuple[str, str]:
        """The first part of a key of this market, and the rest."""
        first, _, rest = key.removeprefix(self.prefix).partition(":")
        return first, rest


def beside(key: str, name: str) -> str:
    """The key `name` of the market that a key is of: it lies in the same slot."""
    return f"{key[: key.index('}') + 1]}:{name}"
