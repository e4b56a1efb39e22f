"""Which mode a request is offered in: what it says itself, else what tuning says of requests like it.

By service, priority and lead; broadcast comes before cascade, and that before explicit. Where nothing says
anything, each vendor answers as it has agreed to. Silence binds nobody who has not agreed to that, whatever a
request or tuning say.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from contracts.codes import Priority, ServiceClass
from contracts.instants import MINUTE_MS
from contracts.offer_modes import OfferMode
from contracts.requests import Request
from contracts.tuning import ALL, Number, Parameter, Prefixes, Words
from dispatcher.domain.links import in_sequence
from dispatcher.domain.requests import RequestRecord, priority_of

SCOPE = "domain.offer_modes"
MOST_LEAD = 525_600  # a year
Lists = Mapping[str, Words]
CHOSEN = (OfferMode.BROADCAST, OfferMode.CASCADE, OfferMode.EXPLICIT)  # by tuning; the first that applies


class Choice(NamedTuple):
    """When tuning chooses one mode."""

    services: Prefixes
    priorities: Prefixes
    least_lead: Parameter
    most_lead: Parameter

    def applies(
        self, request: Request, priority: Priority, lead_ms: int, values: Mapping[str, Number], lists: Lists
    ) -> bool:
        """Whether a request of this service, priority and lead is offered so."""
        named = self.services.of(lists) and self.services.has(request.service_class.value, lists)
        if not named or not self.priorities.has(priority.value, lists):
            return False
        least_ms, most_ms = (each.whole(values) * MINUTE_MS for each in (self.least_lead, self.most_lead))
        return least_ms <= lead_ms <= most_ms


def _choice(mode: OfferMode) -> Choice:
    name, what = mode.value, f"is offered as {mode.value}"
    services = Prefixes(
        name=f"{name}_services",
        form=_any_of(ServiceClass),
        maximum=len(ServiceClass),
        unit="services",
        summary=f"Which levels of service (and `equipment`) are offered as {name}; `*`: all.",
        scope=SCOPE,
    )
    priorities = Prefixes(
        name=f"{name}_priorities",
        form=_any_of(Priority),
        maximum=len(Priority),
        unit="priorities",
        summary=f"Of which priorities a request {what}; `*`: of all.",
        scope=SCOPE,
        default=(ALL,),
    )
    least, most = (
        Parameter(
            name=f"{name}_{bound}_lead_minutes",
            default=default,
            minimum=0,
            maximum=MOST_LEAD,
            unit="minutes",
            summary=f"A request whose window opens {told} than this ahead {what}.",
            scope=SCOPE,
        )
        for bound, default, told in (("least", 0, "no sooner"), ("most", MOST_LEAD, "no later"))
    )
    return Choice(services, priorities, least, most)


def _any_of(codes: type[ServiceClass] | type[Priority]) -> re.Pattern[str]:
    return re.compile("|".join(each.value for each in codes))


CHOICES: Mapping[OfferMode, Choice] = {mode: _choice(mode) for mode in CHOSEN}
LINKS = Parameter(
    name="cascade_links",
    default=4,
    minimum=2,
    maximum=6,
    unit="vendors",
    summary="Most vendors in the chain of a cascade, the first one included.",
    scope=SCOPE,
)
OFFERS = Parameter(
    name="broadcast_offers",
    default=5,
    minimum=2,
    maximum=32,
    unit="vendors",
    summary="Most vendors that a broadcast asks at once, those that cost least.",
    scope=SCOPE,
)
SURE = Parameter(
    name="broadcast_sure_share",
    default=0.999,
    minimum=0.5,
    maximum=1.0,
    unit="share",
    summary="A broadcast asks no more vendors than it takes for one of them to accept with this probability; "
    "1: as many as it may.",
    scope=SCOPE,
)
PARAMETERS = (*(each for choice in CHOICES.values() for each in choice), LINKS, OFFERS, SURE)


def mode_of(
    record: RequestRecord, request: Request, now_ms: int, values: Mapping[str, Number], lists: Lists
) -> OfferMode | None:
    """The mode in which it is offered now; None: as each vendor has agreed to answer.

    What others are planned by has one start at a time: a part of a bundle, what stands in a sequence, and a
    ride beside its patient's others are asked for down a chain where all would be asked at once.
    """
    wanted = request.offer_mode or _tuned(record, request, now_ms, values, lists)
    if wanted is OfferMode.BROADCAST and (record.bundle_until_ms or in_sequence(record) or record.apart):
        return OfferMode.CASCADE
    return None if wanted is OfferMode.ASSUMED else wanted


def _tuned(
    record: RequestRecord, request: Request, now_ms: int, values: Mapping[str, Number], lists: Lists
) -> OfferMode | None:
    if not lists:  # no list of services is set: the usual case
        return None
    priority, lead_ms = priority_of(record, request), max(0, record.earliest_ms - now_ms)
    return next(
        (mode for mode in CHOSEN if CHOICES[mode].applies(request, priority, lead_ms, values, lists)), None
    )
