"""Proofs of dispatches: given by who did the work, read by who may."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date

from client.answers import about
from client.http import Connection, received_of, segment
from contracts.proofs import JPEG, MAGIC, PNG, ZIP, Picture, PictureView, ProofPart, ProofReport, ProofView


class Proofs(Connection):
    """Calls with a token of a vendor, about its own; of platform, coordinator, case manager and ops, of all.

    That somebody looked is kept.
    """

    async def proof(self, offer_id: str) -> ProofView:
        """What there is of it, and what it lacks. Raises Problem 404, 409 before acceptance."""
        path = _proof(offer_id)
        found = await self.call("GET", path, ProofView)
        return about(found, found.offer_id, offer_id, f"GET {path}")

    async def proof_picture(
        self,
        offer_id: str,
        part: ProofPart,
        of: Picture = Picture.SIGNATURE,
        *,
        number: int | None = None,
    ) -> bytes:
        """PNG or JPEG; the last one unless a number is named. Raises Problem 404: there is none."""
        asked = {"of": of.value} | ({"number": str(number)} if number is not None else {})
        received = await self.bytes_of("GET", _picture(offer_id, part), params=asked)
        return received.bytes_in(PNG, JPEG)

    async def proofs_of(self, day: date) -> AsyncIterator[bytes]:
        """The proofs of a day as a ZIP with a manifest, piece by piece. Raises Problem, aiohttp.ClientError.

        One that is cut short has no manifest and does not open.
        """
        params = {"day": day.isoformat()}
        async with self.feeds.get(self.url("/proofs"), params=params, allow_redirects=False) as response:
            if response.status != 200 or response.content_type != ZIP:
                (await received_of("GET /proofs", response)).bytes_in(ZIP)
            async for piece in response.content.iter_any():
                yield piece


class ProofGiver(Proofs):
    """Calls with a vendor's token, or of ops for what a vendor brings on paper."""

    async def give_proof(self, offer_id: str, report: ProofReport, *, key: str | None = None) -> ProofView:
        """Say that a part was done; given anew it is a correction, and both are kept.

        Raises Problem 409 before acceptance and after the work was given back.
        """
        path = _proof(offer_id)
        found = await self.call("POST", path, ProofView, body=report, key=key)
        return about(found, found.offer_id, offer_id, f"POST {path}")

    async def put_picture(
        self, offer_id: str, part: ProofPart, content: bytes, of: Picture = Picture.SIGNATURE
    ) -> PictureView:
        """Keep a PNG or JPEG of at most 512 KB. Put again it is there once. Raises Problem as above."""
        media = next((each for each, magic in MAGIC.items() if content.startswith(magic)), PNG)
        sent = {"Content-Type": media}
        path = _picture(offer_id, part)
        received = await self.bytes_of("PUT", path, content=content, params={"of": of.value}, headers=sent)
        return received.documented(PictureView, {200}).value


def _proof(offer_id: str) -> str:
    return f"/dispatches/{segment(offer_id)}/proof"


def _picture(offer_id: str, part: ProofPart) -> str:
    return f"{_proof(offer_id)}/{segment(part)}/blob"
