"""What a process has to tell one beside it, in a file without a name: a full disk can be told of.

Linux keeps it in memory; elsewhere it is a temporary file.
"""

from __future__ import annotations

import os
import sys
import tempfile

LIMIT_BYTES = 2_000


class Notice:
    """One text that a process writes and others read that inherited it; "" when there is nothing to tell."""

    def __init__(self, descriptor: int | None = None) -> None:
        """`descriptor`: one that was inherited; None: a new one."""
        self.descriptor = _new() if descriptor is None else descriptor

    def write(self, text: str) -> None:
        """Tell this from now on."""
        content = text.encode()[:LIMIT_BYTES].ljust(LIMIT_BYTES, b"\0")
        os.pwrite(self.descriptor, content, 0)

    def read(self) -> str:
        """What is told now."""
        return os.pread(self.descriptor, LIMIT_BYTES, 0).rstrip(b"\0").decode(errors="replace")

    def close(self) -> None:
        """Give the descriptor back."""
        os.close(self.descriptor)


def _new() -> int:
    if sys.platform == "linux":
        return os.memfd_create("notice")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())
