"""What lies sealed in a market, by patient key: how much still needs which key, and until when."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from dispatcher.domain.papers import PaperRecord
from dispatcher.domain.proofs import ProofRecord
from dispatcher.domain.requests import RequestRecord
from dispatcher.domain.standing_orders import StandingOrderRecord
from dispatcher.domain.states import TERMINAL
from dispatcher.security.vault import UnreadablePatient, key_of
from dispatcher.store.aside import READ_ERRORS
from dispatcher.store.bodies import key_of_body


class Sealed(msgspec.Struct):
    """Under one key: requests at work, requests that ended, words of people, messages, proofs and papers.

    Words: comments on tasks, notes on episodes and on barriers, secrets of webhooks, disputes.

    What an amendment of a request replaced, or proposed, counts as the request does.
    """

    open: int = 0
    ended: int = 0
    comments: int = 0
    messages: int = 0
    until_ms: int = 0  # when the last of what has ended is to be forgotten
    proofs: int = 0  # what was said of dispatches that were done, and pictures
    documents: int = 0  # of credentials

    @property
    def blocks(self) -> int:
        """How much there is, all told."""
        return self.open + self.ended + self.comments + self.messages + self.proofs + self.documents

    def __add__(self, other: Sealed) -> Sealed:
        return Sealed(
            self.open + other.open,
            self.ended + other.ended,
            self.comments + other.comments,
            self.messages + other.messages,
            max(self.until_ms, other.until_ms),
            self.proofs + other.proofs,
            self.documents + other.documents,
        )


def sealed_by_key(
    bodies: Mapping[str, str],
    requests: Mapping[str, RequestRecord],
    words: Iterable[bytes],
    messages: Iterable[bytes] = (),
    *,
    orders: Iterable[StandingOrderRecord] = (),
    proofs: Iterable[ProofRecord] = (),
    papers: Iterable[PaperRecord] = (),
) -> dict[str, Sealed]:
    """`bodies`: the key of each request's sealed block. Without a record that can be read: open.

    `words`: sealed comments on tasks, notes on episodes, secrets of webhooks. What a standing order holds is
    as a request that is open.
    """
    found: dict[str, Sealed] = {}
    for request_id, key in bodies.items():
        record = requests.get(request_id)
        has_ended = record is not None and record.state in TERMINAL
        until_ms = record.timer_ms if record is not None and has_ended else 0
        _add(found, key, Sealed(open=not has_ended, ended=has_ended, until_ms=until_ms))
    for raw in (each for order in orders for each in (order.request, order.return_ride) if each):
        with contextlib.suppress(*READ_ERRORS):  # damaged: it is told of as such
            _add(found, key_of_body(raw), Sealed(open=1))
    for record in requests.values():
        _add_amended(found, record)
    notes = [each.barrier.sealed for each in requests.values() if each.barrier and each.barrier.sealed]
    for word in (*words, *notes, *_of_prices(requests.values())):
        _add_readable(found, word, Sealed(comments=1))
    for proof in proofs:
        _add_proof(found, proof)
    for file in (each for paper in papers for each in paper.files):
        _add(found, file.key, Sealed(documents=1))
    for message in messages:
        _add_readable(found, message, Sealed(messages=1))
    return found


def _add_amended(found: dict[str, Sealed], record: RequestRecord) -> None:
    has_ended = record.state in TERMINAL
    until_ms = record.timer_ms if has_ended else 0
    for body in (body for each in record.amendments for body in (each.before, each.proposed) if body):
        with contextlib.suppress(*READ_ERRORS):  # damaged: no key opens it
            _add(found, key_of_body(body), Sealed(open=not has_ended, ended=has_ended, until_ms=until_ms))


def _add_proof(found: dict[str, Sealed], proof: ProofRecord) -> None:
    ends = Sealed(proofs=1, until_ms=proof.timer_ms)
    for given in proof.given:
        _add_readable(found, given.sealed, ends)
    for picture in proof.pictures:
        _add(found, picture.key, ends)


def _of_prices(requests: Iterable[RequestRecord]) -> Iterator[bytes]:
    """What was said of a line that somebody disputed, and what ops answered."""
    for record in requests:
        for said in (dispute for offer in record.offers for dispute in offer.disputes):
            yield from filter(None, (said.sealed, said.reason))


def _add(found: dict[str, Sealed], key: str, more: Sealed) -> None:
    found[key] = found.get(key, Sealed()) + more


def _add_readable(found: dict[str, Sealed], sealed: bytes, more: Sealed) -> None:
    with contextlib.suppress(UnreadablePatient):  # damaged: no key opens it
        _add(found, key_of(sealed), more)
