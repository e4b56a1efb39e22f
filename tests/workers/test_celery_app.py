"""Celery as it is set up: where its broker is, and that nothing it takes could run."""

from __future__ import annotations

import ssl

import pytest

from dispatcher.runtime.errors import UserError
from dispatcher.runtime.urls import BrokerUrl
from dispatcher.settings import Settings
from dispatcher.workers import celery_app
from dispatcher.workers.celery_app import app_of
from dispatcher.workers.kinds import KINDS, OVER_S, SOLVES
from dispatcher.workers.worker import run_worker


@pytest.mark.parametrize(
    ("url", "broker"),
    [
        ("redis://:s@broker:6380/1", "redis://:s@broker:6380/1"),
        ("unix:///run/broker.sock", "redis+socket:///run/broker.sock"),
        ("redis+sentinel://:s@one:26379,two/mine", "sentinel://:s@one:26379;sentinel://:s@two"),
    ],
)
def test_a_broker_is_told_as_celery_writes_it(url: str, broker: str) -> None:
    conf = app_of(BrokerUrl.parse(url), SOLVES).conf
    assert (conf.broker_url, conf.result_backend) == (broker, broker)
    told = conf.broker_transport_options, conf.result_backend_transport_options
    assert [each.get("master_name") for each in told] == ["mine" if "sentinel" in url else None] * 2
    assert [each.get("sentinel_kwargs", {}).get("retry", "usual") for each in told] == [
        None if "sentinel" in url else "usual"
    ] * 2


def test_tls_is_checked() -> None:
    conf = app_of(BrokerUrl.parse("rediss+sentinel://one/mine"), SOLVES).conf
    assert conf.broker_use_ssl == conf.redis_backend_use_ssl == {"ssl_cert_reqs": ssl.CERT_REQUIRED}


def test_each_kind_has_a_list_of_its_own_and_comes_back_after_three_budgets() -> None:
    apps = [app_of(BrokerUrl.parse("redis://broker"), kind).conf for kind in KINDS.values()]
    told = [each.broker_transport_options for each in apps]
    for kind, each in zip(KINDS.values(), told, strict=True):
        assert each["visibility_timeout"] >= 3 * (kind.most_s + OVER_S)
        assert (each["unacked_restore_interval"], each["unacked_restore_throttle"]) == (5, 1)
    for key in ("unacked_key", "unacked_index_key", "unacked_mutex_key"):
        assert len({each[key] for each in told}) == len(told)
    for each in apps:
        assert each.accept_content == each.result_accept_content == ["msgpack"]
        assert (each.task_serializer, each.result_serializer) == ("msgpack", "msgpack")
        assert (each.task_acks_late, each.task_reject_on_worker_lost) == (True, True)
        assert (each.worker_prefetch_multiplier, each.worker_enable_remote_control) == (1, False)


def test_without_celery_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(celery_app, "find_spec", lambda name: None)
    with pytest.raises(UserError, match="Celery is not installed") as error:
        app_of(BrokerUrl.parse("redis://:secret@broker"), SOLVES)
    assert "dispatcher[cluster]" in error.value.remedy
    assert "secret" not in str(error.value)


def test_a_worker_without_a_broker_says_what_it_lacks() -> None:
    with pytest.raises(UserError, match="DISPATCHER_BROKER_URL is not set"):
        run_worker(Settings(), SOLVES)
