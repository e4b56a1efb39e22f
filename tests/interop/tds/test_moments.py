"""The schema's `time`: what a clock showed is one instant, or it is said why not."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from contracts.problems import InvalidMessage
from dispatcher.interop.tds.moments import read
from dispatcher.interop.tds.tree import Node

NEW_YORK = ZoneInfo("America/New_York")
NODE = Node("pickupTime", {}, 3, 7, "/tripTask")
MORNING, TWICE, SKIPPED = "2026-03-02T10:00:00", "2026-11-01T01:30:00", "2026-03-08T02:30:00"


@pytest.mark.parametrize(
    ("text", "offset", "zone", "instant"),
    [
        (MORNING, None, "", "2026-03-02T15:00:00+00:00"),
        (MORNING, -5, "", "2026-03-02T15:00:00+00:00"),
        (MORNING, -300, "", "2026-03-02T15:00:00+00:00"),  # minutes, as New York's clock shows; hhmm is -180
        (MORNING, -500, "", "2026-03-02T15:00:00+00:00"),
        (MORNING, 530, "", "2026-03-02T04:30:00+00:00"),
        (MORNING, None, "America/Chicago", "2026-03-02T16:00:00+00:00"),
        (f"{MORNING}Z", -5, "America/New_York", "2026-03-02T10:00:00+00:00"),
        (f"{MORNING}-05:00", -5, "America/New_York", "2026-03-02T15:00:00+00:00"),
        (f" {MORNING}.9999999+14:00 ", None, "", "2026-03-01T20:00:01+00:00"),
        ("2026-03-02T24:00:00", None, "", "2026-03-03T05:00:00+00:00"),
        ("2026-03-02T10:00", None, "", "2026-03-02T15:00:00+00:00"),
        (TWICE, -5, "", "2026-11-01T06:30:00+00:00"),
        (f"{TWICE}-04:00", None, "", "2026-11-01T05:30:00+00:00"),
    ],
)
def test_one_instant(text: str, offset: int | None, zone: str, instant: str) -> None:
    assert read(NODE, text, offset, zone).instant(NEW_YORK).isoformat() == instant


@pytest.mark.parametrize(
    ("text", "offset", "zone", "says"),
    [
        (TWICE, None, "", "comes twice on that day in America/New_York"),
        (TWICE, None, "America/Chicago", "comes twice on that day in America/Chicago"),
        (SKIPPED, None, "", "is skipped"),
        (MORNING, -600, "", "-600 may be -600 or -360 minutes"),
        (MORNING, 1_999, "", "is no offset"),
        (f"{MORNING}-05:00", -6, "", "another offset than timeZoneOffset -6"),
        (f"{MORNING}-05:00", None, "America/Chicago", "another offset than timeZoneIdentifer"),
        (MORNING, None, "Eastern Standard Time", "no time zone of the IANA's"),
        (MORNING, None, "../../etc/passwd", "no time zone of the IANA's"),
        ("2026-02-30T10:00:00", None, "", "on no calendar"),
        ("1899-12-30T00:00:00", None, "", "the year 1899"),
        ("02.03.2026 10:00", None, "", "no xsd:dateTime"),
        ("2026-03-02T10:00:00-15:00", None, "", "no xsd:dateTime"),
        ("٢٠٢٦-03-02T10:00:00", None, "", "no xsd:dateTime"),
    ],
)
def test_none_or_two(text: str, offset: int | None, zone: str, says: str) -> None:
    with pytest.raises(InvalidMessage, match=r"line 3, column 7") as refused:
        read(NODE, text, offset, zone).instant(NEW_YORK)
    assert says in refused.value.detail
