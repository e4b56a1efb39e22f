"""The base of every message and the scalar types that carry a unit and bounds."""

from __future__ import annotations

from collections.abc import Iterable
from copy import copy
from datetime import UTC, date, datetime
from typing import Annotated, Any, TypeVar, dataclass_transform

import msgspec
from msgspec import Meta
from msgspec.structs import force_setattr

from contracts.patterns import whole

# Published only: what is checked, beyond what a pattern can say in every language, is in `outside`.
NAME = "^[^\\x00-\\x1f\\x7f-\\x9f]*[^\\x00-\\x20\\x7f-\\xa0][^\\x00-\\x1f\\x7f-\\x9f]*$"
# Ids are opaque: the platform chooses request ids, and none may carry patient data.
Id = Annotated[
    str,
    Meta(
        pattern=whole("[A-Za-z0-9_-]{1,64}"),
        description="opaque id of up to 64 letters, digits, _ and -; never a name, phone or record number",
    ),
]
OfferId = Annotated[
    str,
    Meta(pattern=whole("[A-Za-z0-9_-]{1,64}\\.[0-9]{1,4}"), description="request id, a dot, the attempt"),
]
Name = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=120,
        description="one line that shows something; no control characters",
        extra_json_schema={"pattern": NAME},
    ),
]
Instant = Annotated[datetime, Meta(tz=True, description="RFC 3339 with an offset")]
Day = Annotated[date, Meta(description="calendar day in the market's time zone")]
Kilograms = Annotated[int, Meta(ge=1, le=500, description="kilograms")]
Cents = Annotated[int, Meta(ge=0, le=100_000_000, description="US cents")]
Count = Annotated[int, Meta(ge=0, le=10_000)]

# What the service counts or adds up itself has no upper bound: nobody could be refused, and what is stored or
# told would be unreadable from that value on (tests/contracts/test_computed.py).
Version = Annotated[int, Meta(ge=0, description="counts changes")]
Tally = Annotated[int, Meta(ge=0, description="how many there are")]
Minutes = Annotated[int, Meta(ge=0, description="minutes")]
Price = Annotated[int, Meta(ge=0, description="US cents")]
Metres = Annotated[int, Meta(ge=0, description="metres")]

FIRST_YEAR, LAST_YEAR = 2000, 2100
_FIRST, _END = datetime(FIRST_YEAR, 1, 1, tzinfo=UTC), datetime(LAST_YEAR + 1, 1, 1, tzinfo=UTC)
FIRST_DAY, LAST_DAY = date(FIRST_YEAR - 1, 12, 31), date(LAST_YEAR + 1, 1, 1)  # of those years, in some zone


def refuse_odd_year(name: str, at: datetime | None) -> None:
    """Raises ValueError for an instant that no calendar of ours holds: a placeholder, or a slip.

    The year is that in UTC, in which instants are stored: one that was taken, with any offset, is readable.
    """
    if at is not None and not _FIRST <= at < _END:
        raise ValueError(
            f"{name} is {at.isoformat()}; from {FIRST_YEAR} to {LAST_YEAR} in UTC is what is taken\n"
            "Maybe it stands for no time at all: then leave it out."
        )


def refuse_odd_day(name: str, day: date) -> None:
    """Raises ValueError for a day that no calendar of ours holds."""
    if not FIRST_DAY < day < LAST_DAY:
        raise ValueError(
            f"{name} is {day.isoformat()}, which no calendar of ours holds\n"
            f"Maybe the year is misspelt: {FIRST_YEAR} to {LAST_YEAR} is what is taken."
        )


class _WireMeta(msgspec.StructMeta):
    """Gives every message the same settings, so that no message has to repeat them."""

    def __new__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **config: Any) -> Any:
        """Make the class; a setting given at the class wins."""
        defaults = {"frozen": True, "kw_only": True, "forbid_unknown_fields": True, "omit_defaults": True}
        return super().__new__(cls, name, bases, namespace, **(defaults | config))


Message = TypeVar("Message", bound=msgspec.Struct)


def unchecked(message: Message, **fields: Any) -> Message:
    """As `msgspec.structs.replace`, for fields that no check looks at: it is not checked again."""
    changed = copy(message)
    for name, value in fields.items():
        force_setattr(changed, name, value)
    return changed


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(msgspec.field,))
class Wire(msgspec.Struct, metaclass=_WireMeta, frozen=True):
    """A message: frozen, keyword-only; an unknown field is an error, never ignored."""

    def refuse_from_outside(self, pointer: str = "") -> None:
        """Raises InvalidMessage for what a sender must not send, though it could be read; see `outside`.

        `pointer`: where in the body this message stands.
        """

    def named_doors(self) -> Iterable[tuple[str, tuple[float, float]]]:
        """Doors that it names as [lon, lat], each behind the JSON pointer of its position."""
        return ()
