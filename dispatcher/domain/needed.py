"""What a request needs an authorization for, and what it draws on one: kept in its record."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from contracts.codes import Requirement, ServiceClass
from contracts.requests import Request
from contracts.tuning import Number, Parameter
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
}
PARAMETERS = tuple(REQUIRED.values())


class Needed(Compact, frozen=True):
    """`services`: its level of service, or HCPCS codes. `drawn`: so much of `authorization` is its own now.

    `waived`: a case manager has let it go without.
    """

    services: tuple[str, ...]
    units: int = 1
    authorization: str = ""  # the one that it names, or was found under
    drawn: int = 0
    waived: bool = False


def needed(request: Request, values: Mapping[str, Number]) -> Needed | None:
    """What has to be authorized of a request; None where tuning asks for nothing, nor the request itself."""
    asks = request.authorization is not None or Requirement.AUTHORIZATION in request.requirements
    if not asks and not REQUIRED[request.service_class.value].whole(values):
        return None
    lines = request.order_lines
    services = dict.fromkeys(each.hcpcs for each in lines) if lines else (request.service_class.value,)
    units = sum(each.quantity for each in lines) or 1
    return Needed(tuple(services), units, request.authorization or "")


def needed_now(asked: Needed, kind: str, service_class: str) -> Needed:
    """The same after its request may have been amended: a ride is of its level now."""
    return replace(asked, services=(service_class,)) if kind == "trip" and service_class else asked
