"""A role of the service as a process of its own."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator, Mapping


@contextlib.contextmanager
def matcher(environment: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """The matcher, until it is no longer needed."""
    words = [sys.executable, "-m", "dispatcher", "serve", "--role", "matcher"]
    process = subprocess.Popen(words, env=dict(environment), stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(timeout=30)
