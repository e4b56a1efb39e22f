"""What a reference means: a resource beside it, a request of ours, a vendor."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple, TypeVar

import msgspec

from contracts.problems import InvalidMessage
from contracts.validation_errors import place_of
from dispatcher.interop.fhir.along import refuse_other_meaning
from dispatcher.interop.fhir.canonical import ABSENT, REQUEST_ID, VENDOR_ID
from dispatcher.interop.fhir.datatypes import REQUESTS, Element, Reference
from dispatcher.interop.fhir.ids import named, our_id

Form = TypeVar("Form", bound=msgspec.Struct)
_OURS = re.compile(r"(?:https?://.*/v1/markets/[^/]+/fhir/)?[A-Za-z]+/[^/]+")


class Near(NamedTuple):
    """A resource that came along, where in the body it stands, and its address in its bundle."""

    resource: Mapping[str, Any]
    pointer: str
    full_url: str = ""


class Around:
    """What a resource can refer to: what it contains, and what stands beside it in its bundle.

    `beside`: resources of the bundle by the address that they have there. `requests`: ids of ours by it.
    `used`: what was referred to, for who gives it.
    """

    def __init__(
        self,
        contained: tuple[dict[str, Any], ...],
        at: str = "",
        beside: Mapping[str, Near] | None = None,
        requests: Mapping[str, str] | None = None,
        used: set[str] | None = None,
    ) -> None:
        near = {
            f"#{each.get('id', '')}": Near(each, f"{at}/contained/{n}") for n, each in enumerate(contained)
        }
        if len(near) < len(contained):
            raise InvalidMessage.at(f"{at}/contained", "two of them have one id\nMaybe number them anew.")
        self._near, self._requests = near | dict(beside or {}), requests or {}
        self._unused, self._used = set(near), used if used is not None else set[str]()

    def found(self, given: Reference, kind: str, pointer: str) -> Near:
        """The resource of this kind that came along. Raises InvalidMessage: there is none."""
        near = self._near.get(given.reference)
        if near is None:
            raise InvalidMessage.at(
                pointer,
                f"it refers to a {kind} that did not come along\n"
                f"Maybe contain it (`#id`), or put it into the bundle: no {kind} is kept here.",
            )
        if near.resource.get("resourceType") != kind:
            raise InvalidMessage.at(pointer, f"it refers to no {kind}\nMaybe two ids were swapped.")
        refuse_other_meaning(near.resource, kind, near.pointer)
        self._used.add(near.full_url)
        self._unused.discard(given.reference)
        return near

    def has(self, given: Reference) -> bool:
        """Whether what it refers to came along."""
        return given.reference in self._near

    def meant(self, given: Reference, to: str, pointer: str) -> Any:
        """What an extension refers to: an id of ours, or the location itself. Raises InvalidMessage."""
        if to == "request":
            return self.request(given, pointer)
        return self.vendor(given, pointer) if to == "vendor" else self.found(given, to, pointer)

    def request(self, given: Reference, pointer: str) -> str:
        """The id of the request that is meant: by its address, its place in the bundle, or its identifier."""
        if given.identifier is not None and given.identifier.value:
            return named(given.identifier)
        if given.reference in self._requests:
            return self._requests[given.reference]
        kind, name = addressed(given.reference)
        if kind not in REQUESTS or not name:
            raise InvalidMessage.at(
                pointer,
                "it is no request of ours\nMaybe `ServiceRequest/ID`, an entry's fullUrl, or `identifier`.",
            )
        return our_id(name)

    def vendor(self, given: Reference, pointer: str) -> str:
        """The id of the vendor that is meant."""
        if given.identifier is not None and given.identifier.system == VENDOR_ID:
            return given.identifier.value
        kind, name = addressed(given.reference)
        if kind != "Organization" or not name:
            raise InvalidMessage.at(
                pointer, f"it is no vendor\nMaybe `Organization/ID`, or an identifier of system {VENDOR_ID}."
            )
        return our_id(name)

    def refuse_unused(self) -> None:
        """Raises InvalidMessage for what is contained, and nothing that is read refers to."""
        for name in sorted(self._unused):
            near = self._near[name]
            raise InvalidMessage.at(
                near.pointer,
                "nothing that is read refers to it\nMaybe say what a vendor has to know by an extension.",
            )


def addressed(reference: str) -> tuple[str, str]:
    """Kind and id in an address, of whatever version; no kind: it is no address; no id: it is another's.

    What lies at another server is none of ours, though it may have an id that one of ours has, too.
    """
    address = reference.partition("/_history/")[0]
    base, _, name = address.rpartition("/")
    return base.rpartition("/")[2], name if _OURS.fullmatch(address) else ""


def written(to: str, value: Any) -> dict[str, Any]:
    """A reference to what it is in our message."""
    if to == "request":
        return {"identifier": {"system": REQUEST_ID, "value": value}}
    if to == "vendor":
        return vendor(value)
    return {"reference": value}


def vendor(name: str) -> dict[str, Any]:
    """A vendor by our id."""
    return {"type": "Organization", "identifier": {"system": VENDOR_ID, "value": name}}


def read(value: Any, form: type[Form], at: str = "") -> Form:
    """Plain values as a resource. Raises InvalidMessage, which repeats no value: it may be a patient's."""
    try:
        return msgspec.convert(value, form)
    except msgspec.ValidationError as error:
        pointer, what = place_of(error)
        hint = "leave it out" if "null" in what else "compare it with FHIR R4"
        raise InvalidMessage.at(at + pointer, f"{what.partition(chr(10))[0]}\nMaybe {hint}.") from None


def absent(given: Element) -> bool:
    """Whether an element says that it is not there, and why (`data-absent-reason`)."""
    return any(each.get("url") == ABSENT for each in given.extension)
