"""What a process calls itself in leases, consumer groups and the like."""

from __future__ import annotations

import os
import secrets
import socket


def own_name() -> str:
    """A new one each time: host and process for people to find it, and what makes it nobody else's.

    Containers on the network of one host all have its name and the number 1; so may clones of a machine.
    """
    return f"{socket.gethostname()}:{os.getpid()}#{secrets.token_hex(2)}"
