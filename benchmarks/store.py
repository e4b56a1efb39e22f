"""Commits a second through the store, and what an open request costs in Redis, patient block and all."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from contracts.codes import DoorLevel, LevelOfService, RequestState
from contracts.events import RequestChanged
from contracts.geo import Place, Window
from contracts.requests import PassengerNeeds, Patient, TripRequest
from dispatcher.domain.decision import Decision, Message, To
from dispatcher.domain.record import RequestRecord, Step
from dispatcher.embedded import EmbeddedRedis
from dispatcher.keyfiles import PatientKeyFile
from dispatcher.store.outcome import Command
from dispatcher.store.store import Store

START = datetime(2026, 11, 23, 12, tzinfo=UTC)
START_MS = int(START.timestamp() * 1000)
PATIENT = Patient(
    name="Maria Consuelo Hernandez-Whitfield",
    phone="+1 212 555 0147",
    pickup_address="St. Vincent's Medical Center, 170 West 12th Street, New York, NY 10011, entrance B",
    dropoff_address="455 East 102nd Street, apartment 14C, New York, NY 10029",
    record_number="MRN-00482917",
    notes="uses her own wheelchair; daughter meets her at the door",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How many, how many at once."""
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--concurrency", type=int, default=256, help="callers that wait at a time")
    parser.add_argument("--json", metavar="FILE", help="write the figures here; - is standard output")


def run(args: argparse.Namespace) -> int:
    """Measure on an embedded server of its own."""
    figures = asyncio.run(_measure(args.requests, args.concurrency))
    text = json.dumps(figures, indent=2)
    if args.json and args.json != "-":
        Path(args.json).write_text(text + "\n", encoding="utf-8")
    print(text, file=sys.stdout)
    return 0


async def _measure(requests: int, concurrency: int) -> dict[str, Any]:
    ring = PatientKeyFile("bench", {"bench": bytes(32)})
    with tempfile.TemporaryDirectory() as folder:
        async with EmbeddedRedis(Path(folder)) as server, Store(server.url, ring) as store:
            await _submit_all(store, range(100), concurrency)
            before = await store.memory_bytes()
            used = time.process_time()
            waits = await _submit_all(store, range(100, 100 + requests), concurrency)
            used = time.process_time() - used
            after = await store.memory_bytes()
    seconds, delays = waits
    delays.sort()
    return {
        "requests": requests,
        "concurrency": concurrency,
        "commits_per_s": round(requests / seconds),
        "own_cpu_us_per_commit": round(used / requests * 1e6),
        "p50_ms": round(delays[len(delays) // 2] * 1000, 2),
        "p99_ms": round(delays[len(delays) * 99 // 100] * 1000, 2),
        "bytes_per_open_request": round((after - before) / requests),
    }


async def _submit_all(store: Store, numbers: range, concurrency: int) -> tuple[float, list[float]]:
    todo, delays = iter(numbers), list[float]()

    async def caller() -> None:
        for number in todo:
            started = time.perf_counter()
            await _submit(store, f"req-20261123-{number:06d}")
            delays.append(time.perf_counter() - started)

    started = time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(concurrency)))
    return time.perf_counter() - started, delays


async def _submit(store: Store, request_id: str) -> None:
    request = _trip(request_id)
    command = Command.of("platform", request_id, msgspec.msgpack.encode(request))
    outcome = await store.commit("metro", [_received(request_id)], requests=[request], command=command)
    if not outcome.ok:
        raise RuntimeError(f"{request_id}: {outcome}")


def _trip(request_id: str) -> TripRequest:
    return TripRequest(
        id=request_id,
        pickup=Place(position=(-73.998_214, 40.737_511)),
        dropoff=Place(position=(-73.942_671, 40.788_436)),
        level_of_service=LevelOfService.WHEELCHAIR,
        pickup_window=Window(
            earliest=START + timedelta(hours=2), latest=START + timedelta(hours=2, minutes=30)
        ),
        needs=PassengerNeeds(escorts=1, stairs=4, weight_kg=82, door_level=DoorLevel.DOOR_THROUGH_DOOR),
        patient=PATIENT,
    )


def _received(request_id: str) -> Decision:
    hour_ms = 3_600_000
    record = RequestRecord(
        id=request_id,
        version=1,
        state=RequestState.RECEIVED,
        kind="trip",
        received_ms=START_MS,
        match_by_ms=START_MS + 2 * hour_ms,
        earliest_ms=START_MS + 2 * hour_ms,
        latest_ms=START_MS + 2 * hour_ms,
        timer_ms=START_MS + 2 * hour_ms,
        history=(Step(RequestState.RECEIVED, START_MS, "platform"),),
    )
    data = RequestChanged(request_id=request_id, state=record.state, version=1, by="platform")
    message = Message(to=To.EVENTS, type="dispatch.request.received", subject=request_id, data=data)
    return Decision(before=None, after=record, messages=(message,))
