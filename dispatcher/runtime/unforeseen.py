"""An error that nobody foresaw, in words that may be shown: its kind and where it arose, and no value."""

from __future__ import annotations

import signal
import traceback

from dispatcher.runtime.own_packages import HOME, OURS

OWN = ("dispatcher", *OURS)


def told_of(error: BaseException) -> str:
    """`TypeError in solvers/compare.py, line 41 (diff)`: the innermost place that is ours.

    Its text is left out: it may name a patient.
    """
    places = [
        f" in {path}, line {frame.lineno} ({frame.name})"
        for frame in traceback.extract_tb(error.__traceback__)
        if (path := frame.filename.removeprefix(f"{HOME}/")).startswith(tuple(f"{each}/" for each in OWN))
    ]
    return type(error).__name__ + (places[-1] if places else "")


def ended_with(code: int | None) -> str:
    """A process that ended without a word: by which signal, or with which code."""
    if code is None or code >= 0:
        return f"its process ended with code {code} without a word"
    name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
    return f"its process was ended by {name}" + (
        ", as a system does that is short of memory" if -code == signal.SIGKILL else ""
    )
