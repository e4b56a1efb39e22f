"""A worker: Celery's process with its children, for one kind of task. It holds no market and no lease."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from typing import Any

import structlog

from dispatcher.blobs.places import parcels_of
from dispatcher.runtime.errors import UserError
from dispatcher.runtime.own_name import own_name
from dispatcher.runtime.parent_death import die_with_parent
from dispatcher.runtime.urls import BrokerUrl
from dispatcher.security.key_files import read_patient_keys
from dispatcher.settings import Settings
from dispatcher.tuning import plugins
from dispatcher.workers.broker import Broker, BrokerDown
from dispatcher.workers.celery_app import app_of, need
from dispatcher.workers.kinds import SOLVES, WHAT_IFS, Kind
from dispatcher.workers.tasks import Task, done

BEAT_S = 1.0
log = structlog.get_logger()


def refuse_unusable(settings: Settings) -> BrokerUrl:
    """The broker, where a worker could work: said at the start, not with its first task. Raises UserError."""
    if settings.broker_url is None:
        raise UserError(
            "DISPATCHER_BROKER_URL is not set: a worker has nobody to take tasks from.",
            "Maybe DISPATCHER_BROKER_URL=redis://host:6379/0, the same as that of the matchers.",
        )
    need(settings.broker_url)
    read_patient_keys(settings.patient_keys_file)
    plugins.load(settings.rules)
    parcels_of(settings)
    return settings.broker_url


def run_worker(settings: Settings, kind: Kind, processes: int = 1, visibility_s: int | None = None) -> int:
    """Take tasks of this kind until SIGTERM, which lets those that run end. Raises UserError."""
    url = refuse_unusable(settings)
    warnings.filterwarnings("ignore", module="celery.platforms")  # of root, which a container may well be
    app = app_of(url, kind, visibility_s)
    broker, name = Broker(url, kind, app), name_of(kind)
    _set_up(app, broker, settings, (name, processes), _work_of(kind, processes))
    worker = app.Worker(
        hostname=name, concurrency=processes, pool="prefork", queues=[kind.queue], quiet=True,
        without_gossip=True, without_mingle=True, without_heartbeat=True,
    )  # fmt: skip
    log.info("worker", kind=kind.name, name=name, processes=processes)
    worker.start()
    return int(worker.exitcode or 0)


def name_of(kind: Kind) -> str:
    """A new one each time: a worker that is started again at once is not taken for who was lost."""
    return f"{kind.name}@{own_name()}"


def _work_of(kind: Kind, processes: int) -> Callable[[Task], None]:
    """What a child does; what it needs is loaded there."""

    def work(task: Task) -> None:
        if kind == WHAT_IFS:
            from dispatcher.workers.comparing import compare  # noqa: PLC0415

            compare(task)
            return
        from dispatcher.workers.solving import solve  # noqa: PLC0415

        solve(task, max(1, (os.cpu_count() or 1) // processes))

    return work


def _set_up(
    app: Any, broker: Broker, settings: Settings, lives: tuple[str, int], work: Callable[[Task], None]
) -> None:
    """`lives`: the worker's name, and its processes."""
    from celery import bootsteps, signals  # noqa: PLC0415 - an extra

    class Announcing(bootsteps.StartStopStep):  # type: ignore[misc]
        """Says that we take tasks, as long as Celery's own loop goes round."""

        requires = ("celery.worker.consumer.tasks:Tasks",)

        def start(self, consumer: Any) -> None:
            _say(broker, *lives)
            self.beats = consumer.timer.call_repeatedly(BEAT_S, _say, (broker, *lives))

        def stop(self, consumer: Any) -> None:
            if beats := getattr(self, "beats", None):
                beats.cancel()

    def task(*words: Any) -> None:
        done(broker, settings, lives[0], work, words)

    app.task(task, name=broker.kind.name)
    app.steps["consumer"].add(Announcing)
    end_with_us = die_with_parent()
    signals.worker_process_init.connect(
        lambda **_: _begin(broker.kind, end_with_us), weak=False, dispatch_uid="begin"
    )
    signals.setup_logging.connect(lambda **_: None, weak=False, dispatch_uid="our logs")


def _say(broker: Broker, name: str, processes: int) -> None:
    try:
        broker.live(name, processes)
    except BrokerDown as error:
        log.warning("worker_not_heard", reason=str(error))


def _begin(kind: Kind, end_with_us: Callable[[], None] | None) -> None:
    """In a child, first of all."""
    if end_with_us is not None:
        end_with_us()  # a killed worker leaves none that solve on
    if kind == SOLVES:
        from dispatcher.matching.child import warm_up  # noqa: PLC0415

        warm_up()
