"""What an offer's vendor charges, line by line, and how that changes: waiting, fees, a line that is settled.

A dispatch that ends without its work is charged what was waited, and the fee of how it ended.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from contracts.codes import OfferState, TrackingStatus
from contracts.instants import HOUR_MS, MINUTE_MS
from contracts.prices import DisputeOutcome, PriceKind, PriceLine, Rates
from contracts.vendors import RateCard
from dispatcher.domain.compact import Compact
from dispatcher.domain.states import WORKED_ON

if TYPE_CHECKING:
    from dispatcher.domain.offers import OfferRecord

K = PriceKind
FEES = frozenset({K.TURN_BACK, K.LATE_CANCEL, K.NO_SHOW})
AFTERWARDS = FEES | {K.WAITING}  # no line of these is in a price as it was offered
HALF_HOUR_MS = HOUR_MS // 2
SETTLED = "dispute_"  # of the note of a line that was settled otherwise than computed; its number follows


class Line(Compact, frozen=True):
    """One line of a price, as it is stored."""

    kind: PriceKind
    cents: int
    unit_cents: int | None = None  # None: as `cents`
    quantity: float = 1.0
    note: str = ""


class OfferRates(Compact, frozen=True):
    """What the rate card said, when it was offered, of what might happen after."""

    waiting_half_hour_cents: int = 0
    waiting_free_minutes: int = 0
    late_cancel_minutes: int = 0
    late_cancel_cents: int = 0
    no_show_cents: int = 0
    turn_back_cents: int = 0


class Wait(Compact, frozen=True):
    """The vendor waits at the door since then; `until_ms` 0: it still does.

    `from_ms`: the start that was agreed then, if another is by now; 0: it still is.
    """

    since_ms: int
    until_ms: int = 0
    from_ms: int = 0

    @property
    def is_open(self) -> bool:
        """Whether it still waits."""
        return not self.until_ms


class Dispute(Compact, frozen=True):
    """Somebody says that a line is wrong; `sealed` why, `reason` what ops answered: encrypted."""

    kind: PriceKind
    place: int  # of the line, when it was disputed
    cents: int  # that it had
    at_ms: int
    by: str
    subject: str = ""
    sealed: bytes = b""
    outcome: DisputeOutcome = DisputeOutcome.OPEN
    settled_ms: int = 0
    settled_cents: int = 0
    reason: bytes = b""

    @property
    def open(self) -> bool:
        """Whether nobody has settled it."""
        return self.outcome is DisputeOutcome.OPEN


def rates_of(card: RateCard) -> OfferRates:
    """What an offer keeps of its vendor's rate card."""
    return OfferRates(**{name: getattr(card, name) for name in OfferRates.__struct_fields__})


def stored(lines: Iterable[PriceLine]) -> tuple[Line, ...]:
    """Lines as an offer keeps them."""
    return tuple(
        Line(
            each.kind,
            each.cents,
            each.unit_cents if each.unit_cents != each.cents else None,
            each.quantity,
            each.note,
        )
        for each in lines
    )


def lines_of(offer: OfferRecord) -> tuple[Line, ...]:
    """The lines of its price; one for all of it where none are known: from before there were any."""
    if offer.price_lines or not offer.price_cents:
        return offer.price_lines
    return (Line(K.AGREED, offer.price_cents),)


def charged(offer: OfferRecord) -> tuple[Line, ...] | None:
    """What its vendor charges, or owes; None for an offer that never was a dispatch, as far as that shows."""
    if offer.state in WORKED_ON:
        return lines_of(offer)
    after = not offer.live and all(each.kind in AFTERWARDS for each in lines_of(offer))
    return offer.price_lines if after or offer.state is OfferState.TURNED_BACK else None


def lines_view(lines: Iterable[Line]) -> tuple[PriceLine, ...]:
    """For all who may read the price."""
    return tuple(
        PriceLine(
            kind=each.kind,
            quantity=each.quantity,
            unit_cents=each.cents if each.unit_cents is None else each.unit_cents,
            cents=each.cents,
            note=each.note,
        )
        for each in lines
    )


def rates_view(rates: OfferRates | None) -> Rates:
    """For all who may read the price."""
    kept = rates or OfferRates()
    return Rates(**{name: getattr(kept, name) for name in OfferRates.__struct_fields__})


def priced(lines: Sequence[Line]) -> dict[str, Any]:
    """What changes of an offer that has these lines: they, and the price that they add up to."""
    return {"price_lines": tuple(lines), "price_cents": sum(each.cents for each in lines)}


def priced_as(offer: OfferRecord, other: OfferRecord) -> OfferRecord:
    """The offer with the other's price and disputes: what else differs shows."""
    return replace(
        offer,
        price_cents=other.price_cents,
        price_lines=other.price_lines,
        disputes=other.disputes,
    )


def agreed_at(offer: OfferRecord, price_cents: int) -> dict[str, Any]:
    """What changes of an offer whose vendor and platform agreed to another price."""
    lines = [each for each in lines_of(offer) if each.kind is not K.AGREED]
    more = price_cents - sum(each.cents for each in lines)
    return priced([*lines, Line(K.AGREED, more)] if more else lines)


def also_agreed(offer: OfferRecord, lines: tuple[Line, ...]) -> tuple[Line, ...]:
    """Lines of the dispatch's work elsewhere or at another time, with what was agreed beyond the rate card.

    It never makes the price less than nothing. A price of one line alone was agreed whole, for that work.
    """
    kept = [each for each in offer.price_lines if each.kind is K.AGREED]
    card = [each for each in offer.price_lines if each.kind is not K.AGREED and each.kind not in AFTERWARDS]
    if not kept or not card:
        return lines
    cents = max(kept[0].cents, -sum(each.cents for each in lines))
    return (*lines, replace(kept[0], cents=cents)) if cents else lines


def place_of(offer: OfferRecord, said: Dispute) -> int | None:
    """Where the line stands that was disputed, from 0; None: not any more. Orders have several of a kind."""
    lines = lines_of(offer)
    same = [nth for nth, each in enumerate(lines) if each.kind is said.kind]
    if said.place - 1 in same:
        return said.place - 1
    return same[0] if len(same) == 1 else None


def settled(offer: OfferRecord, place: int, cents: int, number: int) -> dict[str, Any]:
    """What changes of a dispatch whose line was settled: its figure, and by which dispute.

    What it is for stays: of equipment its HCPCS.
    """
    lines = list(lines_of(offer))
    lines[place] = settled_line(lines[place], cents, str(number))
    return priced(lines)


def settled_line(was: Line, cents: int, number: str) -> Line:
    """The line at another figure, by which dispute."""
    unit_cents = was.cents if was.unit_cents is None else was.unit_cents
    note = f"{code_of(was)} {SETTLED}{number}".lstrip()
    return Line(was.kind, cents, unit_cents, was.quantity, note)


def code_of(line: Line) -> str:
    """The code that stands in its note: of equipment its HCPCS; "": none."""
    return "" if line.note.startswith(SETTLED) else line.note.partition(" ")[0]


def amended(offer: OfferRecord, lines: tuple[Line, ...], price_cents: int) -> dict[str, Any]:
    """What changes of a dispatch that is other work now: its price anew, and what was waited stays.

    Also where another start is agreed: a wait counts from the one that was agreed then.
    """
    kept = [each for each in offer.price_lines if each.kind in AFTERWARDS]
    anew = lines or ((Line(K.AGREED, price_cents),) if price_cents else ())
    waits = tuple(replace(each, from_ms=each.from_ms or offer.start_ms) for each in offer.waits)
    return {"waits": waits, **priced([*anew, *kept])}


def ended(
    offer: OfferRecord,
    state: OfferState,
    now_ms: int,
    status: TrackingStatus | None = None,
    *,
    let_go: bool = False,
) -> dict[str, Any]:
    """What changes of a dispatch that ends: as it is once done, else what was waited, and the fee.

    `let_go`: its vendor did not agree to an amendment; whoever took the work from it owes it nothing.
    """
    waits = tuple(_over(each, offer, now_ms, status) for each in offer.waits)
    done = state is OfferState.COMPLETED and status is not TrackingStatus.NO_SHOW
    fee = None if done or let_go else _fee(offer, state, now_ms, status)
    base = lines_of(offer) if done else [each for each in offer.price_lines if each.kind is K.WAITING]
    lines = [*base, fee] if fee is not None and fee.cents else list(base)
    return {"waits": waits, **priced(with_waiting(lines, waits, offer))}


def waited(offer: OfferRecord, waits: tuple[Wait, ...]) -> dict[str, Any]:
    """What changes of a dispatch whose vendor waited so."""
    return {"waits": waits, **priced(with_waiting(lines_of(offer), waits, offer))}


def boarded(offer: OfferRecord, at_ms: int) -> dict[str, Any]:
    """What changes of a dispatch whose passenger is on board: nobody is waited for any more."""
    waits = tuple(
        replace(each, until_ms=max(each.since_ms, at_ms)) if each.is_open else each for each in offer.waits
    )
    return {} if waits == offer.waits else waited(offer, waits)


def with_waiting(lines: Sequence[Line], waits: Sequence[Wait], offer: OfferRecord) -> list[Line]:
    """The lines with that about waiting as it follows from `waits`; one that was settled stays."""
    if any(each.kind is K.WAITING and SETTLED in each.note for each in lines):
        return list(lines)
    others = [each for each in lines if each.kind is not K.WAITING]
    line = _waiting(waits, offer)
    return [*others, line] if line is not None and line.cents else others


def _waiting(waits: Sequence[Wait], offer: OfferRecord) -> Line | None:
    """Each half hour that has begun after what is free."""
    rates = offer.rates
    if rates is None:
        return None
    halves = -(-max(0, waited_ms(waits, offer) - rates.waiting_free_minutes * MINUTE_MS) // HALF_HOUR_MS)
    cents = halves * rates.waiting_half_hour_cents
    return Line(K.WAITING, cents, rates.waiting_half_hour_cents, float(halves)) if halves else None


def waited_ms(waits: Iterable[Wait], offer: OfferRecord) -> int:
    """How long was waited, of the waits that are over: before the agreed start nobody is waited for."""
    spans = [
        (max(each.since_ms, each.from_ms or offer.start_ms), each.until_ms) for each in waits if each.until_ms
    ]
    return sum(max(0, until_ms - since_ms) for since_ms, until_ms in spans)


def _over(wait: Wait, offer: OfferRecord, now_ms: int, status: TrackingStatus | None) -> Wait:
    """A wait that nobody ended: when the ride must have begun at the latest, or with the dispatch."""
    if wait.until_ms:
        return wait
    ride_ms = offer.end_ms - offer.start_ms if status is TrackingStatus.COMPLETED else 0
    return replace(wait, until_ms=max(wait.since_ms, now_ms - ride_ms))


def _fee(offer: OfferRecord, state: OfferState, now_ms: int, status: TrackingStatus | None) -> Line | None:
    """What the rate card states for this end. Given back by its vendor: that owes it."""
    rates = offer.rates or OfferRates()
    if state is OfferState.TURNED_BACK:
        return Line(K.TURN_BACK, -rates.turn_back_cents)
    if state is OfferState.CANCELLED:
        late = now_ms > offer.start_ms - rates.late_cancel_minutes * MINUTE_MS
        return Line(K.LATE_CANCEL, rates.late_cancel_cents) if late else None
    return Line(K.NO_SHOW, rates.no_show_cents) if status is TrackingStatus.NO_SHOW else None
