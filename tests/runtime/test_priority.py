"""What can wait comes last, and stays there however often it is told to."""

from __future__ import annotations

import multiprocessing
import os
from pathlib import Path

from dispatcher.runtime.priority import NICE, come_last


def told_twice(folder: str) -> None:
    come_last()
    come_last()
    Path(folder, str(os.getpriority(os.PRIO_PROCESS, 0))).touch()


def test_who_comes_last_stays_there(tmp_path: Path) -> None:
    process = multiprocessing.get_context("fork").Process(target=told_twice, args=(str(tmp_path),))
    process.start()
    process.join()
    assert [each.name for each in tmp_path.iterdir()] == [str(NICE)]
