"""How many examples a property is tried with: `--rounds 40` tries ten times as many as a usual run."""

from __future__ import annotations

USUAL = 4
rounds = USUAL  # as the command line says; set before any test is imported


def examples(usual: int) -> int:
    """As many as usual, or so many times more as there are rounds."""
    return max(1, usual * rounds // USUAL)
