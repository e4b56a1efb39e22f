"""Why a vendor got none of what was asked for: which rule, and by how much; told with what would change it.

What is counted has one of these forms, with no more of a request than what no vendor is a secret to:
`offered`, `others`, `<rule>:<service>`, `<rule>::<what>:<which>:<how much>`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Final

from contracts.codes import ServiceClass
from contracts.needs import PassengerNeeds
from contracts.requests import Request
from contracts.vendors import Vendor
from contracts.why_vendor import LostToRule, Remedy, VendorWhy

OFFERED, OTHERS = "offered", "others"
MOST_REMEDIES: Final = 6  # of one rule
STEPS: Final = {"max_weight_kg": 10}  # amounts are counted in steps: nobody's weight is told
LIMITS: Final = {  # of a vendor, and what a passenger asks of each
    "max_oxygen_l_min": "oxygen_l_min",
    "max_stairs": "stairs",
    "max_weight_kg": "weight_kg",
    "max_escorts": "escorts",
    "max_attendants": "attendants",
}
SAYS: Final[Mapping[str, str]] = {
    "onboarding": "ops had not activated you, or had suspended you",
    "paused": "you were paused",
    "level_of_service": "you do not serve that level",
    "exclusions": "whoever asked wanted another vendor",
    "declined": "you had declined it",
    "skills": "your crews lack a skill that it takes",
    "hcpcs": "you do not carry what was ordered",
    "needs": "the passenger needs more than you carry",
    "service_area": "a door was outside your area",
    "pools": "you had posted no capacity for it",
    "pool_limits": "the passenger needs more than your pools carry",
    "hours": "you were closed",
    "credentials": "a paper that it takes was not valid on that day",
    "capacity": "what you had posted was booked",
    "cap": "what its payer gives you was used up",
    "time_window": "no start in its window could be kept",
    "arrival": "its appointment could not be reached in time",
    "sequence": "what goes before it did not leave the time",
}
DO: Final[Mapping[str, str]] = {  # where no more is known of a rule; {services}: which
    "onboarding": "ask ops what your onboarding lacks: it stands in your document",
    "paused": "end your pause (`paused`), or ask ops about theirs (`ops_pause`)",
    "level_of_service": "serve {services} (`levels_of_service`), if you can",
    "service_area": "widen `service_area`, or go beyond it for a surcharge (`out_of_area_m`)",
    "pools": "post capacity that serves {services}, for the days ahead",
    "hours": "open longer (`hours`)",
    "credentials": "renew the papers that {services} takes (`credentials`); ops verifies them",
    "capacity": "post more units (or a higher `daily_cap`) of {services}",
    "cap": "ask ops or the payer for a higher cap: GET …/caps has what is left",
}


def details(
    rule: str, vendor: Vendor, request: Request, pools: Mapping[str, Mapping[str, float]]
) -> list[str]:
    """By what a vendor missed it, where that can be told; `pools`: limits of those that serve it, by pool."""
    needs = request.passenger_needs or PassengerNeeds()
    if rule == "needs":
        return [f"{rule}::{each}::{amount}" for each, amount in _short(needs, vendor)]
    if rule == "pool_limits":
        return [
            f"{rule}::{each}:{pool}:{amount}"
            for pool, most in sorted(pools.items())
            for each, amount in _short_of(needs, most)
        ]
    if rule == "skills":
        asked = (*needs.skills, *getattr(request, "skills", ()))
        return [f"{rule}::{each.value}::" for each in dict.fromkeys(asked) if each not in vendor.skills]
    if rule == "hcpcs":
        lines = dict.fromkeys(each.hcpcs for each in request.order_lines)
        return [f"{rule}::{each}::" for each in lines if each not in vendor.hcpcs]
    return []


def _short(needs: PassengerNeeds, vendor: Vendor) -> Iterator[tuple[str, int]]:
    return _short_of(needs, {each: getattr(vendor, each) for each in LIMITS})


def _short_of(needs: PassengerNeeds, most: Mapping[str, float]) -> Iterator[tuple[str, int]]:
    """Which limits were too low, and what would have done, upwards to the next step."""
    for name, asks in LIMITS.items():
        asked = getattr(needs, asks) or 0
        if name in most and asked > most[name]:
            step = STEPS.get(name, 1)
            yield name, int(-(-asked // step) * step)


def told(counts: Mapping[str, int], vendor: Vendor, first: date, last: date) -> VendorWhy:
    """What was counted, in words."""
    services, more = dict[str, Counter[ServiceClass]](), dict[str, Counter[tuple[str, str, int]]]()
    for what, count in counts.items():
        parts = what.split(":")
        if len(parts) == 2 and parts[1] in tuple(ServiceClass):
            services.setdefault(parts[0], Counter())[ServiceClass(parts[1])] += count
        elif len(parts) == 5:
            amount = int(parts[4]) if parts[4].isdecimal() else 0
            more.setdefault(parts[0], Counter())[parts[2], parts[3], amount] += count
    lost = [_lost(rule, each, more.get(rule, Counter()), vendor) for rule, each in services.items()]
    offered, others = counts.get(OFFERED, 0), counts.get(OTHERS, 0)
    return VendorWhy(
        vendor_id=vendor.id,
        first_day=first,
        last_day=last,
        decided=offered + others + sum(each.requests for each in lost),
        offered=offered,
        others=others,
        lost=tuple(sorted(lost, key=lambda each: (-each.requests, each.rule))),
    )


def _lost(
    rule: str, services: Counter[ServiceClass], more: Counter[tuple[str, str, int]], vendor: Vendor
) -> LostToRule:
    total = services.total()
    remedies = sorted(_remedies(rule, more, vendor), key=lambda each: -each.requests)
    if not remedies and rule in DO:
        named = ", ".join(each.value for each, _ in services.most_common())
        remedies = [Remedy(says=DO[rule].format(services=named), requests=total)]
    return LostToRule(
        rule=rule,
        says=SAYS.get(rule, f"the rule {rule}"),
        requests=total,
        services=dict(services.most_common()),
        remedies=tuple(remedies[:MOST_REMEDIES]),
    )


def _remedies(rule: str, more: Counter[tuple[str, str, int]], vendor: Vendor) -> Iterator[Remedy]:
    """Of a limit: each value, with all that it would let through; what one carries by now is no news."""
    for what, which in dict.fromkeys((what, which) for what, which, _ in more):
        amounts = sorted((amount, n) for (a, b, amount), n in more.items() if (a, b) == (what, which))
        if what not in LIMITS:
            if what not in (*vendor.skills, *vendor.hcpcs):
                word = "have a crew with" if rule == "skills" else "carry"
                yield Remedy(says=f"{word} {what} (`{rule}`)", requests=sum(n for _, n in amounts), what=what)
            continue
        so_far = 0
        for amount, count in amounts:
            so_far += count
            too_low = amount > getattr(vendor, what)
            if not which and not too_low:
                continue
            of_pool = f" of pool {which}" if which else ""
            says = f"set {what}{of_pool} to \u2265 {amount}"
            if which and too_low:
                says += f", and your own {what}"
            yield Remedy(says=says, requests=so_far, what=what, pool=which, at_least=amount)
