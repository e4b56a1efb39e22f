"""Kinds of record are found, and share nothing that tells them apart."""

from __future__ import annotations

import dataclasses

import pytest

from dispatcher.domain import kinds
from dispatcher.domain.compact import Record
from dispatcher.domain.kinds import Kind, kind_named, kind_of, register, with_kind
from dispatcher.domain.tasks import TASK_KIND
from tests.domain.make import received


class Note(Record, frozen=True, tag=1):
    """Something to remember."""


NOTE: Kind[Note] = Kind(
    name="note",
    form=Note,
    key="note",
    timers="timers:note",
    timer_ms=lambda each: 0,
    lists=lambda each: {},
    may_become=lambda before, after: True,
    on_timer=lambda each, context: None,
)


def test_a_kind_is_known_for_its_block() -> None:
    with with_kind(NOTE):
        assert kind_named("note") is kind_of(Note("n1", 1)) is NOTE
    assert NOTE not in kinds.kinds()
    with pytest.raises(KeyError):
        kind_named("note")


def test_the_kinds_of_the_service_are_found() -> None:
    assert {"request", "task"} <= {each.name for each in kinds.kinds()}
    assert kind_of(received()).name == "request"


@pytest.mark.parametrize("shared", ["name", "key", "timers", "form"])
def test_two_kinds_that_share_what_tells_them_apart_are_refused(shared: str) -> None:
    other = dataclasses.replace(NOTE, **{shared: getattr(TASK_KIND, shared)})
    with kinds.temporary(), pytest.raises(ValueError, match=r"two kinds of record .* and task"):
        register(other)
