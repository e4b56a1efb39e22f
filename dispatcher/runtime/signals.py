"""The signals that end a process in order: from a service manager, a terminal that closes, or a person."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable

# each of them would otherwise end the process at once, and its children with it
ENDING = tuple(
    number
    for name in ("SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2")
    if (number := getattr(signal, name, None)) is not None
)


def on_ending(told: Callable[[], object]) -> None:
    """Call `told` from the running loop at each of them; what is ignored (`nohup`) stays ignored."""
    loop = asyncio.get_running_loop()
    for number in ENDING:
        if signal.getsignal(number) is not signal.SIG_IGN:
            loop.add_signal_handler(number, told)


def terminate_as_interrupt() -> None:
    """SIGTERM ends a command as Ctrl-C does: what it started, and its folder, go before it."""
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
