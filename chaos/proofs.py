"""Proofs amid kills: ops writes down what was done, with pictures; what was answered is there in the end."""

from __future__ import annotations

import contextlib
import hashlib
import random
from collections.abc import AsyncIterator

from client.errors import Problem
from client.ops import OpsClient
from contracts.codes import OfferState, RequestState
from contracts.instants import to_instant
from contracts.proofs import MAGIC, PNG, Picture, PictureView, ProofPart, ProofReport
from simulation.cast import Cast

PROVABLE = frozenset({RequestState.ACCEPTED, RequestState.IN_PROGRESS, RequestState.COMPLETED})
TRIES = 100
GIVEN = frozenset({OfferState.ACCEPTED, OfferState.COMPLETED})


class Proving:
    """Gives proofs, and knows which pictures were answered for."""

    def __init__(self, ops: OpsClient, cast: Cast, chance: random.Random) -> None:
        self.ops, self.cast, self.chance = ops, cast, chance
        self.kept = dict[str, set[str]]()  #: by dispatch, what its pictures are known by

    async def prove(self) -> None:
        """A dispatch of the day is proved, with a picture. Raises Problem: it had moved on."""
        states = self.cast.tally.states
        if not (done := [name for name, state in states.items() if state in PROVABLE]):
            return
        view = await self.ops.view(self.chance.choice(done))
        taken = [each.id for each in view.attempts if each.state in GIVEN]
        if not taken:
            return
        part = ProofPart.DELIVERY if view.kind == "equipment" else self.chance.choice(list(ProofPart)[:2])
        said = ProofReport(part=part, at=to_instant(self.cast.clock.now_ms()))
        await self.ops.give_proof(taken[-1], said)
        picture = MAGIC[PNG] + self.chance.randbytes(self.chance.randrange(1, 50_000))
        await self.ops.put_picture(taken[-1], part, picture, Picture.PHOTO)
        self.kept.setdefault(taken[-1], set()).add(hashlib.sha256(picture).hexdigest())

    async def at_least_once(self) -> None:
        """Something is proved, if only when the day is over: else what is lost would say nothing."""
        for _ in range(TRIES):
            if self.kept:
                return
            with contextlib.suppress(Problem):
                await self.prove()
        raise AssertionError("nothing of the day could be proved")

    async def lost(self) -> list[str]:
        """Pictures that were answered for, and are not there as they came."""
        gone = []
        for offer_id, digests in self.kept.items():
            try:
                found = {each.sha256 async for each in self._there(offer_id)}
            except Problem:
                found = set[str]()
            if missing := digests - found:
                gone.append(f"the proof of {offer_id} lacks {len(missing)} pictures of {len(digests)}")
        return gone

    async def _there(self, offer_id: str) -> AsyncIterator[PictureView]:
        for each in (await self.ops.proof(offer_id)).pictures:
            plain = await self.ops.proof_picture(offer_id, each.part, each.of, number=each.number)
            if hashlib.sha256(plain).hexdigest() == each.sha256:
                yield each
