"""Why a vendor gets no offers: how many requests it lost to which rule, and what would change that."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from contracts.base import Day, Id, Tally, Wire
from contracts.codes import ServiceClass

MAX_DAYS = 30


class WhyQuery(Wire):
    """Of how many days, today among them."""

    days: Annotated[int, Meta(ge=1, le=MAX_DAYS)] = 7


class Remedy(Wire, omit_defaults=False):
    """What would change it, in words; how many of these requests it would have let through that rule.

    The same for programs: `what`, a limit of yours (or of your `pool`) that would have to be `at_least` so
    high, a skill or a code that you would need; "": the rule as a whole.
    """

    says: str
    requests: Tally
    what: str = ""
    pool: str = ""
    at_least: Tally | None = None


class LostToRule(Wire, omit_defaults=False):
    """What it lost to one rule: the first that removed it. `services`: by what was asked for."""

    rule: str
    says: str
    requests: Tally
    services: dict[ServiceClass, Tally]
    remedies: tuple[Remedy, ...]


class VendorWhy(Wire, omit_defaults=False):
    """Requests by how it went for the vendor when each was decided first, in days of the market's calendar.

    `decided`: all of them; of these `offered` were put to it, and `others` went to another though it could
    have had them. The rest were `lost` to a rule, those that cost most first.
    """

    vendor_id: Id
    first_day: Day
    last_day: Day
    decided: Tally
    offered: Tally
    others: Tally
    lost: tuple[LostToRule, ...]
