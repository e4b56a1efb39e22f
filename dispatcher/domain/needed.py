"""What a request needs an authorization for, and what it draws on one: kept in its record."""

from __future__ import annotations

import re
from collections.abc import Mapping

from msgspec.structs import replace

from contracts.codes import Requirement, ServiceClass
from contracts.requests import OrderLine, Request
from contracts.tuning import Number, Parameter, Prefixes, Words
from dispatcher.domain.compact import Compact

REQUIRED: Mapping[str, Parameter] = {
    each.value: Parameter(
        name=f"authorization_{each.value}",
        default=0,
        minimum=0,
        maximum=1,
        unit="switch",
        summary=f"Whether what is submitted from now on needs an authorization to be booked: {each.value}.",
        scope="domain.needed",
    )
    for each in ServiceClass
    if each is not ServiceClass.EQUIPMENT
}
HCPCS = Prefixes(
    name="authorization_hcpcs",
    form=re.compile("[A-Z][0-9]{0,4}"),
    maximum=200,
    unit="HCPCS codes, or what such begin with",
    summary="Which equipment that is submitted from now on needs an authorization to be booked; `*`: all.",
    scope="domain.needed",
)
PARAMETERS = (*REQUIRED.values(), HCPCS)


class Needed(Compact, frozen=True):
    """`services`: its level of service, or HCPCS codes. `drawn`: so much of `authorization` is its own now.

    `waived`: a case manager has let it go without. `by_hand`: somebody put it on hold for one.
    `named`: the request itself names the authorization.
    `lacks`: why it is on hold for one, if there is one: used up, expired.
    `agreed`: the level that its vendor comes with, where another was agreed than asked for: all else is about
    that one then, and `usual` about the level that was asked for.
    """

    services: tuple[str, ...]
    units: int = 1
    authorization: str = ""  # the one that it names, or was found under
    drawn: int = 0
    waived: bool = False
    by_hand: bool = False
    named: bool = False
    lacks: str = ""
    agreed: str = ""
    usual: Needed | None = None
    payer: str = ""  # whose authorization it is, as caps call them; "": by no name that caps could have


def needed(request: Request, values: Mapping[str, Number], lists: Mapping[str, Words]) -> Needed | None:
    """What has to be authorized of a request; None where tuning asks for nothing, nor the request itself.

    Of an order the lines that tuning names; all of them, where the order itself asks for one.
    """
    asks = request.authorization is not None or Requirement.AUTHORIZATION in request.requirements
    lines = request.order_lines
    if lines:
        named = tuple(each for each in lines if HCPCS.has(each.hcpcs, lists))
        return _of_lines(named or lines, request) if named or asks else None
    name = request.service_class.value
    if not asks and not REQUIRED[name].whole(values):
        return None
    return _of((name,), 1, request)


def _of_lines(lines: tuple[OrderLine, ...], request: Request) -> Needed:
    services = dict.fromkeys(each.hcpcs for each in lines)
    return _of(tuple(services), sum(each.quantity for each in lines), request)


def _of(services: tuple[str, ...], units: int, request: Request) -> Needed:
    name = request.authorization or ""
    return Needed(services, units, name, named=bool(name))


def held_by_hand(asked: Needed | None) -> bool:
    """Of what is on hold for an authorization: whether somebody put it there, and not that it lacks one."""
    return asked is None or asked.by_hand


def as_asked_for(asked: Needed) -> Needed | None:
    """Once nobody comes with another level any more: what it needs then, if anything; it draws nothing."""
    return asked.usual if asked.agreed else replace(asked, drawn=0)


def needed_now(asked: Needed, kind: str, service_class: str) -> Needed:
    """The same after its request may have been amended: a ride is of its level now."""
    return replace(asked, services=(service_class,)) if kind == "trip" and service_class else asked
