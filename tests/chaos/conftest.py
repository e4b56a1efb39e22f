"""A short trial of a scenario; `./run chaos` plays long ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from chaos.trial import Trial


@pytest.fixture
def trial(tmp_path: Path, pytestconfig: pytest.Config) -> Trial:
    """As many rounds as `--rounds` says."""
    return Trial(tmp_path, pytestconfig.getoption("rounds"), seed=11)


@pytest.fixture
def short_trial(tmp_path: Path) -> Trial:
    """One round, of what takes long."""
    return Trial(tmp_path, 1, seed=11)
