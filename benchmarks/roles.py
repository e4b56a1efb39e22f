"""A role of the service as a process of its own."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator, Mapping

from dispatcher.serve.processes import own_command, own_environment


@contextlib.contextmanager
def matcher(environment: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """The matcher, until it is no longer needed."""
    process = subprocess.Popen(
        own_command("serve", "--role", "matcher"),
        env=own_environment() | environment,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(timeout=30)
