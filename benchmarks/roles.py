"""A role of the service as a process of its own."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from dispatcher.serve.processes import own_command, own_environment


@contextlib.contextmanager
def matcher(
    environment: Mapping[str, str], log: Path = Path(os.devnull)
) -> Iterator[subprocess.Popen[bytes]]:
    """The matcher, until it is no longer needed; what it logs is added to `log`."""
    with log.open("ab") as errors:
        process = subprocess.Popen(
            own_command("serve", "--role", "matcher"), env=own_environment() | environment, stderr=errors
        )
        try:
            yield process
        finally:
            process.terminate()
            process.wait(timeout=30)
