"""What a worker does with a task. It believes nothing that the broker gives it before that was opened."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import structlog

from dispatcher.blobs.places import parcels_of
from dispatcher.runtime.unforeseen import told_of
from dispatcher.security.key_files import read_patient_keys
from dispatcher.security.vault import Vault
from dispatcher.settings import Settings
from dispatcher.workers.broker import Broker, BrokerDown, Ref
from dispatcher.workers.parcels import TASK, NoParcel, Parcels

PATIENCE_S = 60.0  # a result waits so long for a broker that is away
PAUSE_S = 0.5
FAILED = b"-"  # what a note of failure begins with
log = structlog.get_logger()


@dataclass(frozen=True, eq=False)
class Task:
    """One that was taken: what it is about, and where its result goes."""

    ref: Ref
    name: str
    parcel: bytes
    parcels: Parcels
    broker: Broker
    settings: Settings

    def opened(self) -> bytes:
        """What was asked. Raises NoParcel, OSError."""
        return self.parcels.opened(self.ref, TASK, self.parcel)

    def answer(self, purpose: str, plain: bytes) -> None:
        """Leave the result, were the broker away for a while. A second one of the same is refused."""
        packed = self.parcels.packed(self.ref, purpose, plain)
        left = persistently(lambda: self.broker.answer(self.ref, packed))
        if not left:
            self.parcels.thrown_away(packed)
            log.info("task_result_refused", task=self.name)


Work = Callable[[Task], None]


def done(broker: Broker, settings: Settings, worker: str, work: Work, words: tuple[Any, ...]) -> None:
    """Do one task, unless it is done or not wanted any more; what goes wrong is told who waits for it."""
    try:
        market, digest, fence, name, parcel = words
        ref = Ref(str(market), str(digest), str(fence))
        parcel = bytes(parcel)
    except (TypeError, ValueError):
        log.warning("task_unknown")
        return
    began_s = time.monotonic()
    try:
        if not persistently(lambda: broker.take(ref, name, worker)):
            log.info("task_not_wanted", task=name)
            return
        vault = Vault(read_patient_keys(settings.patient_keys_file))
        parcels = Parcels(vault, parcels_of(settings), answers=True)
        work(Task(ref, name, parcel, parcels, broker, settings))
    except Exception as error:
        log.warning(
            "task_failed", task=name, reason=str(error) if isinstance(error, NoParcel) else told_of(error)
        )
        _tell_failure(broker, name, error)
        return
    log.info("task_done", task=name, seconds=round(time.monotonic() - began_s, 3))


def _tell_failure(broker: Broker, name: str, error: Exception) -> None:
    """The kind alone, and the words of a parcel's: what the broker holds, others may read."""
    words = str(error) if isinstance(error, NoParcel) else type(error).__name__
    try:
        persistently(lambda: broker.tell(name, FAILED + words.encode()))
    except BrokerDown:
        log.warning("task_failure_not_told", task=name)


def persistently(ask: Callable[[], Any], patience_s: float = PATIENCE_S) -> Any:
    """What the broker says, once it does. Raises BrokerDown."""
    until_s = time.monotonic() + patience_s
    while True:
        try:
            return ask()
        except BrokerDown:
            if time.monotonic() >= until_s:
                raise
            time.sleep(PAUSE_S)
