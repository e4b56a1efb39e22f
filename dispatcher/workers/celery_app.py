"""Celery, set up for one kind of task: nothing is pickled, and a task is done when its work is."""

from __future__ import annotations

import ssl
from importlib.util import find_spec
from typing import Any

from dispatcher.runtime.errors import UserError
from dispatcher.runtime.urls import BrokerUrl
from dispatcher.workers.kinds import Kind

RESTORE_S = 5  # so often is looked for tasks whose worker was lost
TALK_S = 2.0  # real seconds for one answer of the broker; whoever waits for it has a local pool


def app_of(url: BrokerUrl, kind: Kind, visibility_s: int | None = None) -> Any:
    """Raises UserError without the extra. `visibility_s`: tests have no hour."""
    need(url)
    from celery import Celery  # noqa: PLC0415 - an extra

    app = Celery(kind.queue, set_as_current=False)
    app.conf.update(_settings(url, kind, visibility_s or kind.visibility_s))
    return app


def need(url: BrokerUrl) -> None:
    """Raises UserError without the extra."""
    if find_spec("celery") is None or find_spec("packaging") is None:  # the second for Celery's own transport
        raise UserError(
            f"DISPATCHER_BROKER_URL is '{url.shown}', and Celery is not installed.",
            "Maybe install dispatcher[cluster], or leave the broker out: then no workers are asked.",
        )


def _settings(url: BrokerUrl, kind: Kind, visibility_s: int) -> dict[str, Any]:
    broker, backend = _urls(url)
    sentinels = _sentinels(url) if url.sentinels else {}
    told = {
        "broker_url": broker,
        "result_backend": backend,
        "broker_transport_options": _transport(kind, visibility_s) | sentinels,
        "result_backend_transport_options": sentinels,
        **_SETTINGS,
        "task_default_queue": kind.queue,
    }
    if url.scheme.startswith("rediss"):
        tls = {"ssl_cert_reqs": ssl.CERT_REQUIRED}
        told |= {"broker_use_ssl": tls, "redis_backend_use_ssl": tls}
    return told


def _transport(kind: Kind, visibility_s: int) -> dict[str, Any]:
    """Each kind has its own list of what was given out: each has its own time after which it comes back."""
    return {
        "visibility_timeout": visibility_s,
        "unacked_restore_interval": RESTORE_S,
        "unacked_restore_throttle": 1,
        "unacked_key": f"unacked-{kind.queue}",
        "unacked_index_key": f"unacked-index-{kind.queue}",
        "unacked_mutex_key": f"unacked-mutex-{kind.queue}",
        "socket_connect_timeout": TALK_S,
    }


def _sentinels(url: BrokerUrl) -> dict[str, Any]:
    """One that is away is asked once: the client's usual ten tries take 13 s before the next one is asked."""
    once = {"retry": None, "socket_timeout": TALK_S, "socket_connect_timeout": TALK_S}
    return {"master_name": url.master, "sentinel_kwargs": once}


_PLAIN = "msgpack"  # pickle would let whoever holds the broker run what he likes in the matcher
_SETTINGS: dict[str, Any] = {
    "accept_content": [_PLAIN],
    "result_accept_content": [_PLAIN],
    "task_serializer": _PLAIN,
    "result_serializer": _PLAIN,
    "task_acks_late": True,
    "task_reject_on_worker_lost": True,
    "task_ignore_result": True,  # results are ours: sealed, by digest
    "task_track_started": False,
    "task_send_sent_event": False,
    "worker_send_task_events": False,
    "worker_enable_remote_control": False,  # whoever holds the broker could shut all workers
    "worker_prefetch_multiplier": 1,
    "worker_hijack_root_logger": False,
    "worker_redirect_stdouts": False,
    "broker_connection_retry_on_startup": True,
    "broker_connection_max_retries": None,
    "redis_socket_timeout": TALK_S,
    "redis_socket_connect_timeout": TALK_S,
}


def _urls(url: BrokerUrl) -> tuple[str, str]:
    """As Celery writes it, of its broker and of its backend."""
    if url.scheme == "unix":
        return f"redis+socket://{url.path}", f"redis+socket://{url.path}"
    if not url.sentinels:
        return url, url
    several = ";".join(f"sentinel://{url.login}{each}" for each in url.hosts)
    return several, several
