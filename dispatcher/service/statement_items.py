"""An item of a statement as it is read: in an answer, and as rows of CSV."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from zoneinfo import ZoneInfo

from contracts.instants import to_instant
from contracts.statements import StatementItem, StatementItemKind, StatementLine
from dispatcher.domain.hcpcs import hcpcs_of
from dispatcher.domain.prices import Line, code_of, lines_view
from dispatcher.domain.requests import request_id_of
from dispatcher.domain.statements import is_correction, local_day, offer_of
from dispatcher.service.csv_rows import Row
from dispatcher.store.statements import Entered

METRES_PER_MILE = 1_609.344
COLUMNS = (
    "vendor_id", "month", "item", "dispatch_id", "request_id", "reference", "day", "start_at", "end", "code",
    "service", "miles", "waited_minutes", "payer", "authorization_id", "authorization_number", "line", "for",
    "hcpcs", "quantity", "unit_cents", "cents", "note", "disputed", "entered_at", "item_id",
)  # fmt: skip


def item_of(entered: Entered, disputed: Sequence[Line], tz: ZoneInfo, *, tells_number: bool) -> StatementItem:
    """`disputed`: lines of it, as they were when somebody said that they are wrong."""
    name, item = entered.name, entered.item
    offer, kind = offer_of(name), StatementItemKind
    return StatementItem(
        id=name,
        offer_id=offer,
        request_id=request_id_of(offer),
        kind=kind.CORRECTION if is_correction(name) else kind.WORK,
        at=to_instant(item.at_ms).astimezone(tz),
        day=local_day(item.start_ms, tz),
        start_at=to_instant(item.start_ms).astimezone(tz),
        end=item.end,
        code=item.code,
        service=item.service,
        miles=round(item.distance_m / METRES_PER_MILE, 1),
        waited_minutes=item.waited_minutes,
        payer=item.payer,
        authorization_id=item.authorization,
        authorization_number=item.number if tells_number else "",
        reference=item.reference,
        lines=tuple(_lines(item.lines, item.service, disputed)),
        cents=item.cents,
    )


def is_same(said: Line, line: Line) -> bool:
    """Whether a dispute is about this line, or one like it."""
    return (said.kind, said.cents) == (line.kind, line.cents)


def _lines(lines: Sequence[Line], service: str, disputed: Sequence[Line]) -> Iterator[StatementLine]:
    open_now = list(disputed)
    for line, view in zip(lines, lines_view(lines), strict=True):
        said = next((each for each in open_now if is_same(each, line)), None)
        if said is not None:
            open_now.remove(said)
        yield StatementLine(
            kind=view.kind,
            hcpcs=hcpcs_of(line.kind, service, code_of(line)),
            quantity=view.quantity,
            unit_cents=view.unit_cents,
            cents=view.cents,
            note=view.note,
            disputed=said is not None,
        )


def rows_of(item: StatementItem, vendor_id: str, month: str) -> Iterator[Row]:
    """A row a line, each with all that is known of its work; one of nothing for work that costs nothing."""
    base: Row = {
        "vendor_id": vendor_id,
        "month": month,
        "item": item.kind,
        "dispatch_id": item.offer_id,
        "request_id": item.request_id,
        "reference": item.reference,
        "day": item.day,
        "start_at": item.start_at,
        "end": item.end,
        "code": item.code,
        "service": item.service,
        "miles": item.miles,
        "waited_minutes": item.waited_minutes,
        "payer": item.payer,
        "authorization_id": item.authorization_id,
        "authorization_number": item.authorization_number,
        "entered_at": item.at,
        "item_id": item.id,
    }
    for number, line in enumerate(item.lines, 1):
        yield base | {
            "line": number,
            "for": line.kind,
            "hcpcs": line.hcpcs,
            "quantity": line.quantity,
            "unit_cents": line.unit_cents,
            "cents": line.cents,
            "note": line.note,
            "disputed": line.disputed,
        }
    if not item.lines:
        yield base | {"cents": 0}
