"""Proof of what was done: as a crew gives it, and the clerk of ops who asks for what is missing."""

from __future__ import annotations

import base64
import random
from collections.abc import Iterable
from typing import NamedTuple, Protocol

import msgspec

from contracts.events import CloudEvent
from contracts.instants import MINUTE_MS
from contracts.offers import Offer
from contracts.proofs import DeliveredItem, NotSigned, ProofPart, ProofReport, Relationship, Signature
from contracts.tasks import TaskChanged, TaskKind
from simulation.agenda import Agenda

FORGOTTEN = 0.04  # of what is done: the crew drives on, and proves it when ops calls
UNSIGNED = 0.1
CALLS_MS = 20 * MINUTE_MS  # after the work was reported as done
SIGNED_BY = "Nobody Example"
SIGNATURE = base64.b64decode(  # a pad of 120 by 40, with a stroke on it
    "iVBORw0KGgoAAAANSUhEUgAAAHgAAAAoAQAAAAAdkQOIAAAAn0lEQVR42tXRsQ3DIBAFUCQKl4zAKKySTRjBIzBKnCqlR3BJ64gG"
    "K4Sff7GV6DJBQoH0ODi+wEAP85uuXnt12jlrz0U7bdqhKffYlVmNHyfwdHjtEzcLdj/LUhPXE3j7gjrgIS4tzEyA9YK7OGPwMl8r"
    "zxmpTGxWMPaQxQmVrTe2cyPdwx6hRUyebnuSzp1rpG9HUnvks1/v5f7hP9/jCfiDO+EpDMg7AAAAAElFTkSuQmCC"
)


class Proof(NamedTuple):
    """What a crew says of its work, and the signature on its pad; None: nobody signed."""

    report: ProofReport
    picture: bytes | None


def forgets(offer: Offer, seed: int) -> bool:
    """Whether the crew has driven on without it."""
    return random.Random(f"{seed}/proof/{offer.id}").random() < FORGOTTEN


def proof_of(offer: Offer, seed: int) -> Proof:
    """Of a ride its drop-off, of an order its delivery."""
    rng = random.Random(f"{seed}/signature/{offer.id}")
    is_signed = rng.random() >= UNSIGNED
    signature = (
        Signature(by=SIGNED_BY, relationship=rng.choice(list(Relationship)))
        if is_signed
        else Signature(refused=NotSigned.UNABLE)
    )
    items = tuple(
        DeliveredItem(
            item=each.hcpcs, hcpcs=each.hcpcs, quantity=each.quantity, serial=f"SN-{offer.request_id}"
        )
        for each in offer.lines
    )
    part = ProofPart.DELIVERY if items else ProofPart.DROPOFF
    report = ProofReport(part=part, signature=signature, items=items, instruction_given=bool(items))
    return Proof(report, SIGNATURE if is_signed else None)


class Proves(Protocol):
    """A vendor that can be called on the telephone."""

    async def prove_late(self, request_id: str) -> None: ...


class SimulatedProofDesk:
    """Ops calls the vendor of work that was done without its proof."""

    def __init__(self, vendors: Iterable[Proves], agenda: Agenda) -> None:
        self.vendors, self.agenda = tuple(vendors), agenda
        self.called = set[str]()

    def hear(self, event: CloudEvent) -> None:
        """Take one event in; a repeated one changes nothing."""
        if event.type != "dispatch.task.opened":
            return
        news = msgspec.convert(event.data, TaskChanged)
        if news.kind is TaskKind.PROOF_MISSING and news.task_id not in self.called:
            self.called.add(news.task_id)
            self.agenda.at(self.agenda.clock.now_ms() + CALLS_MS, lambda: self._call(news.request_id))

    async def _call(self, request_id: str) -> None:
        for vendor in self.vendors:
            await vendor.prove_late(request_id)
