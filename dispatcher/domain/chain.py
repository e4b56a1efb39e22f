"""Who of a chain is asked next, once the offer before is over."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from contracts.requests import Request
from dispatcher.domain.cascade import ChainLink
from dispatcher.domain.context import Context
from dispatcher.domain.links import Span
from dispatcher.domain.requests import RequestRecord
from dispatcher.domain.sequence import out_of_sequence


class Following(NamedTuple):
    """A link whose turn it is, those after it, and what its vendor is to read."""

    link: ChainLink
    rest: tuple[ChainLink, ...]
    request: Request


def next_link(record: RequestRecord, context: Context) -> Following | None:
    """The first that may still be asked; None: there is none left, or what was asked is not at hand.

    Those that the store found to be full, or changed, are passed over (`Context.passed_over`).
    """
    if context.body is None or context.now_ms >= record.match_by_ms:
        return None
    good = list(_good(record, context))[context.passed_over :]
    if not good:
        return None
    place = good[0]
    return Following(record.chain[place], record.chain[place + 1 :], context.body)


def _good(record: RequestRecord, context: Context) -> Iterator[int]:
    """Places of those whose start is still to come, in sequence, and whose vendor has not declined it."""
    for place, link in enumerate(record.chain):
        refused = record.was_declined_by(link.vendor_id, link.changed_ms)
        late = link.start_ms < context.now_ms
        if not (refused or late or out_of_sequence(record, Span(link.start_ms, link.end_ms), context)):
            yield place
