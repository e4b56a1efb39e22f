"""The ways in which a vendor talks to the service, behind one face: HTTP with SSE, and Redis streams.

Who is called is in `webhooks`, who has the page in hand in `phone`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator
from typing import Protocol

from msgspec.structs import replace

from client.streams import VendorStream
from client.vendor import VendorClient
from contracts.codes import DeclineCode
from contracts.counters import Counter
from contracts.dispatches import StatusUpdate
from contracts.events import CloudEvent
from contracts.proofs import ProofReport
from simulation.clock import Clock
from simulation.day import instant


class Link(Protocol):
    """What a simulated vendor needs. A refusal is a `Problem`, or comes later as `dispatch.reply.refused`."""

    async def open(self) -> None: ...
    def events(self) -> AsyncIterator[CloudEvent]: ...
    async def accept(self, offer_id: str, reference: str) -> None: ...
    async def decline(self, offer_id: str, code: DeclineCode) -> None: ...
    async def counter(self, offer_id: str, counter: Counter) -> None: ...
    async def agree(self, offer_id: str, number: int) -> None: ...
    async def report(self, offer_id: str, update: StatusUpdate) -> None: ...
    async def waiting(self, offer_id: str) -> None: ...
    async def prove(self, offer_id: str, report: ProofReport, picture: bytes | None) -> None: ...
    async def close(self) -> None: ...


class HttpLink:
    """A vendor with an HTTP client and an SSE feed, read from its beginning."""

    def __init__(self, client: VendorClient) -> None:
        self.client = client

    async def open(self) -> None:
        """What is to be done before it hears anything: nothing."""

    async def events(self) -> AsyncIterator[CloudEvent]:
        """The vendor's feed."""
        async for received in self.client.events(after="0-0"):
            yield received.event

    async def accept(self, offer_id: str, reference: str) -> None:
        """Take the work."""
        await self.client.accept(offer_id, reference=reference)

    async def decline(self, offer_id: str, code: DeclineCode) -> None:
        """Leave the work."""
        await self.client.decline(offer_id, code)

    async def counter(self, offer_id: str, counter: Counter) -> None:
        """Do it otherwise."""
        await self.client.counter(offer_id, counter)

    async def agree(self, offer_id: str, number: int) -> None:
        """Keep the work as it is wanted now."""
        await self.client.agree(offer_id, number)

    async def report(self, offer_id: str, update: StatusUpdate) -> None:
        """Say where it stands."""
        await self.client.report(offer_id, update)

    async def waiting(self, offer_id: str) -> None:
        """Wait at the door."""
        await self.client.waiting(offer_id)

    async def prove(self, offer_id: str, report: ProofReport, picture: bytes | None) -> None:
        """Say what was done, and who signed."""
        await self.client.give_proof(offer_id, report)
        if picture is not None:
            await self.client.put_picture(offer_id, report.part, picture)

    async def close(self) -> None:
        """Close the connections."""
        await self.client.close()


class StreamLink:
    """A vendor with a consumer group on its own Redis stream, answering on another of its own.

    What no stream carries, pictures of a proof say, it sends over HTTP.
    """

    def __init__(self, stream: VendorStream, clock: Clock, client: VendorClient) -> None:
        self.stream, self.clock, self.client = stream, clock, client

    async def open(self) -> None:
        """What is to be done before it hears anything: nothing."""

    async def events(self) -> AsyncIterator[CloudEvent]:
        """The vendor's stream; entries that came together are acknowledged once the next one is asked for."""
        async for batch in self.stream.batches():
            for entry in batch:
                if entry.event is not None:
                    yield entry.event
            await self.stream.acknowledge(*batch)

    async def accept(self, offer_id: str, reference: str) -> None:
        """Take the work."""
        await self.stream.accept(offer_id, self._now(), reference=reference)

    async def decline(self, offer_id: str, code: DeclineCode) -> None:
        """Leave the work."""
        await self.stream.decline(offer_id, code, self._now())

    async def counter(self, offer_id: str, counter: Counter) -> None:
        """Do it otherwise."""
        await self.stream.counter(offer_id, counter, self._now())

    async def agree(self, offer_id: str, number: int) -> None:
        """Keep the work as it is wanted now."""
        await self.stream.agree(offer_id, number, self._now())

    async def report(self, offer_id: str, update: StatusUpdate) -> None:
        """Say where it stands."""
        await self.stream.report(offer_id, update, self._now())

    async def waiting(self, offer_id: str) -> None:
        """Wait at the door."""
        await self.stream.waiting(offer_id, self._now())

    async def prove(self, offer_id: str, report: ProofReport, picture: bytes | None) -> None:
        """Say what was done; no stream has a name, and the signature itself goes over HTTP."""
        is_named = report.signature is not None and report.signature.by is not None
        said = replace(report, signature=None) if is_named else report
        await self.stream.prove(offer_id, said, self._now())
        if picture is not None:
            await self.client.put_picture(offer_id, report.part, picture)

    async def close(self) -> None:
        """Close the connections."""
        await self.stream.close()
        await self.client.close()

    def _now(self) -> dt.datetime:
        return instant(self.clock.now_ms(), dt.UTC)
