"""Telegrams as bytes: elements in the order of the schema, UTF-8, no namespace. Pure."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from xml.etree import ElementTree as ET  # it writes; `tree` reads
from zoneinfo import ZoneInfo

from contracts.geo import Position

MEDIA = "application/xml; charset=utf-8"
ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # in XML 1.0
REPLACED = "\ufffd"
Element = ET.Element


def element(name: str, *children: Element | None, text: object = None, **attributes: object) -> Element:
    """With those of its parts that are there; True and False as XML Schema writes them."""
    made = ET.Element(name, {key: _text(value) for key, value in attributes.items() if value is not None})
    made.extend(each for each in children if each is not None)
    made.text = None if text is None else _text(text)
    return made


def optional(name: str, text: object) -> Element | None:
    """With that text; None without one."""
    return None if text is None or text == "" else element(name, text=_text(text))


def time(name: str, at: dt.datetime | None, tz: ZoneInfo) -> Element | None:
    """The market's clock, with its offset, so that no hour stands for two."""
    if at is None:
        return None
    local = at.astimezone(tz).replace(microsecond=0)
    return element(name, time=local.isoformat(), timeZoneIdentifer=tz.key)


def place(where: Position, precision_m: int) -> Element:
    """WGS 84, in degrees; the precision in metres."""
    longitude, latitude = where
    return element(
        "geographicLocation",
        element("typeOfCoordinate", text="WGS84"),
        element("lat", text=str(latitude)),
        element("long", text=str(longitude)),
        precision=precision_m,
    )


def telegram(
    name: str,
    trip_id: str,
    sent: Element | None,
    *children: Element | None,
    kind: object = "",
    **attributes: object,
) -> bytes:
    """One telegram. `kind`: its telegramType, where that is not its own name."""
    root = element(
        name,
        element("tripRequestId", text=trip_id),
        element("telegramType", text=kind or name[0].upper() + name[1:]),
        sent,
        *children,
        **attributes,
    )
    found: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return found


def listed(words: Iterable[str]) -> str | None:
    """A list as XML Schema writes it; None of nothing."""
    return " ".join(words) or None


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return ILLEGAL.sub(REPLACED, str(value))
