"""FHIR's datatypes and resources as far as they are read; what else stands there, `elements` judges."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from dispatcher.interop.fhir.canonical import IDENTIFIER_TYPE

Instant = Annotated[datetime, Meta(tz=True)]
Texts = tuple[str | None, ...]  # null: of that one nothing but an extension is said


class Element(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """What every datatype and resource may have; an extension is looked at once it is one of ours."""

    id: str = ""
    extension: tuple[dict[str, Any], ...] = ()


class Identifier(Element, frozen=True):
    """A name within a system."""

    use: str = ""
    type: CodeableConcept | None = None
    system: str = ""
    value: str = ""

    @property
    def in_use(self) -> bool:
        """Whether something is known by it now."""
        return bool(self.value) and self.use != "old"

    @property
    def is_record_number(self) -> bool:
        """Whether its type says that it is a medical record number."""
        codings = self.type.coding if self.type else ()
        return any((each.system, each.code) == (IDENTIFIER_TYPE, "MR") for each in codings)


class Coding(Element, frozen=True):
    """A code of a code system."""

    system: str = ""
    code: str = ""


class CodeableConcept(Element, frozen=True):
    """The same said in several code systems, and in words."""

    coding: tuple[Coding, ...] = ()
    text: str = ""


class Reference(Element, frozen=True):
    """Another resource: by address, or by what it is known as."""

    reference: str = ""
    type: str = ""
    identifier: Identifier | None = None
    display: str = ""


class Period(Element, frozen=True):
    """From `start` to `end`, both inclusive."""

    start: Instant | None = None
    end: Instant | None = None


class Quantity(Element, frozen=True):
    """A number with its unit."""

    value: float
    comparator: str = ""
    unit: str = ""
    system: str = ""
    code: str = ""


class Extension(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """One extension, with the types of value that ours have."""

    url: str
    extension: tuple[Extension, ...] = ()
    value_boolean: bool | None = None
    value_code: str | None = None
    value_codeable_concept: CodeableConcept | None = None
    value_date: date | None = None
    value_date_time: Instant | None = None
    value_positive_int: int | None = None
    value_quantity: Quantity | None = None
    value_reference: Reference | None = None
    value_string: str | None = None
    value_unsigned_int: int | None = None


class HumanName(Element, frozen=True):
    """A name; `text` is it as a whole."""

    use: str = ""
    text: str = ""
    prefix: Texts = ()
    given: Texts = ()
    family: str = ""
    suffix: Texts = ()


class ContactPoint(Element, frozen=True):
    """A telephone number, an address of mail."""

    system: str = ""
    value: str = ""
    use: str = ""
    rank: int = 1_000


class Address(Element, frozen=True):
    """A postal address; `text` is it as a whole."""

    use: str = ""
    text: str = ""
    line: Texts = ()
    city: str = ""
    state: str = ""
    postal_code: str = ""
    country: str = ""


class Annotation(Element, frozen=True):
    """A note."""

    text: str


class Patient(Element, frozen=True):
    """Who it is for."""

    identifier: tuple[Identifier, ...] = ()
    name: tuple[HumanName, ...] = ()
    telecom: tuple[ContactPoint, ...] = ()


class Coordinates(Element, frozen=True):
    """Of a location, in degrees, WGS 84."""

    longitude: float
    latitude: float


class Location(Element, frozen=True):
    """A door: where it is, and its address in words."""

    name: str = ""
    description: str = ""
    position: Coordinates | None = None
    address: Address | None = None


class Coverage(Element, frozen=True):
    """Who pays."""

    payor: tuple[Reference, ...] = ()


class Asked(Element, frozen=True):
    """What ServiceRequest and DeviceRequest share."""

    contained: tuple[dict[str, Any], ...] = ()
    identifier: tuple[Identifier, ...] = ()
    status: str = ""
    intent: str = ""
    priority: str = ""
    subject: Reference | None = None
    occurrence_date_time: Instant | None = None
    occurrence_period: Period | None = None
    insurance: tuple[Reference, ...] = ()
    note: tuple[Annotation, ...] = ()


class ServiceRequest(Asked, frozen=True):
    """A ride."""

    code: CodeableConcept | None = None
    performer: tuple[Reference, ...] = ()
    requisition: Identifier | None = None


class DeviceRequest(Asked, frozen=True):
    """Equipment."""

    code_codeable_concept: CodeableConcept | None = None
    performer: Reference | None = None
    group_identifier: Identifier | None = None


class EntryRequest(Element, frozen=True):
    """What is to be done with an entry."""

    method: str
    url: str
    if_none_exist: str = ""


class Entry(Element, frozen=True):
    """One resource of a bundle, under the address by which the others name it."""

    full_url: str = ""
    resource: dict[str, Any] | None = None
    request: EntryRequest | None = None


class Bundle(Element, frozen=True):
    """Resources that come together."""

    identifier: Identifier | None = None
    type: str = ""
    entry: tuple[Entry, ...] = ()


REQUESTS: dict[str, type[Asked]] = {"ServiceRequest": ServiceRequest, "DeviceRequest": DeviceRequest}
