"""What went wrong in a process of its own is told by kind and place, and never by what it was at work on."""

from __future__ import annotations

import signal

import pytest

from contracts.instants import to_instant
from dispatcher.runtime.unforeseen import ended_with, told_of


def test_an_error_is_told_with_the_innermost_place_that_is_ours_and_without_its_text() -> None:
    with pytest.raises(TypeError) as caught:
        to_instant("Nadia Canary")  # type: ignore[arg-type]
    told = told_of(caught.value)
    assert told.startswith("TypeError in contracts/instants.py, line ")
    assert told.endswith(" (to_instant)")
    assert "Nadia" not in told
    assert told_of(KeyError("Nadia Canary")) == "KeyError"


def test_a_process_that_ended_without_a_word_is_told_by_its_signal_or_its_code() -> None:
    assert ended_with(-signal.SIGKILL) == (
        "its process was ended by SIGKILL, as a system does that is short of memory"
    )
    assert ended_with(-signal.SIGSEGV) == "its process was ended by SIGSEGV"
    assert ended_with(-200) == "its process was ended by signal 200"
    assert ended_with(3) == "its process ended with code 3 without a word"
