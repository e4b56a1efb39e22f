"""Log lines: one event a line with its facts, as JSON or for people; never patient data."""

from __future__ import annotations

import logging
import socket
import sys
import time
import traceback
from collections.abc import Callable, MutableMapping
from typing import Any, TextIO, cast

import structlog

from dispatcher.runtime.errors import kind_of_failure

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
MAX_FRAMES, MAX_CAUSES = 12, 4
AGAIN_S, MOST_KNOWN = 60.0, 1_000  # real: a trouble that goes on is told so often; lines that are known
TROUBLES = frozenset({"warning", "error"})


def outline(error: BaseException) -> dict[str, Any]:
    """What failed and where; neither its text nor any variable, which may hold patient data."""
    chain: list[str] = []
    cause: BaseException | None = error
    while cause is not None and len(chain) < MAX_CAUSES:
        chain.append(kind_of_failure(cause))
        cause = cause.__cause__
    frames = traceback.extract_tb(error.__traceback__)[-MAX_FRAMES:]
    where = [f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in frames]
    return {"error": " < ".join(chain), "where": where}


def _outlined(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """In place of a traceback, which would show texts and variables."""
    given = event.pop("exc_info", None)
    error = given if isinstance(given, BaseException) else sys.exc_info()[1] if given else None
    return event if error is None else {**event, **outline(error)}


def configure(level: str, *, as_json: bool) -> None:
    """Log to standard error from `level` on."""
    shape: structlog.typing.Processor = (
        structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer()
    )
    lines = Lines(sys.stderr)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            _outlined,
            Repeats().told,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            lines.told,
            shape,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=structlog.WriteLoggerFactory(cast(TextIO, lines)),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=logging.WARNING, handlers=[Libraries()], force=True)


class Repeats:
    """A trouble that is told again and again in the same words has a line a minute, whichever loop meets it.

    The next such line says how many were left out since. What differs in a single fact is told.
    """

    def __init__(self, wall: Callable[[], float] = time.monotonic) -> None:
        """`wall`: real seconds."""
        self._wall = wall
        self._known: dict[
            str, tuple[float, int]
        ] = {}  # by its words: when it was told, how many left out since

    def told(self, logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        """The event. Raises DropEvent: the same was told just now."""
        if event["level"] not in TROUBLES:
            return event
        words, now_s = repr(event), self._wall()
        at_s, left_out = self._known.pop(words, (-AGAIN_S, 0))
        if is_known := now_s - at_s < AGAIN_S:
            self._known[words] = at_s, left_out + 1
        else:
            self._known[words] = now_s, 0
        if len(self._known) > MOST_KNOWN:
            del self._known[next(iter(self._known))]
        if is_known:
            raise structlog.DropEvent
        return {**event, "left_out": left_out} if left_out else event


class Lines:
    """Where lines go. One that cannot be written (a full disk, a pipe that nobody reads) ends nothing.

    The next one says how many could not.
    """

    def __init__(self, file: TextIO) -> None:
        self._file, self._lost = file, 0

    def told(self, logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        """The event, with how many lines before it were lost, if any were."""
        return {**event, "lines_lost": self._lost} if self._lost else event

    def write(self, line: str) -> None:
        """One line, at once."""
        try:
            self._file.write(line)
            self._file.flush()
        except OSError:
            self._lost += 1
        else:
            self._lost = 0

    def flush(self) -> None:
        """Nothing is kept back."""


class Libraries(logging.Handler):
    """Lines of the libraries we use: from where, and the failure's outline; their texts may hold anything."""

    def emit(self, record: logging.LogRecord) -> None:
        """Log it in our form."""
        error = record.exc_info[1] if record.exc_info else None
        if record.name == "asyncio" and isinstance(error, socket.gaierror):
            return  # uvloop looks a name up to the end for who has left; that nobody answered is told by them
        facts = {} if error is None else outline(error)
        at = f"{record.filename}:{record.lineno}"
        structlog.get_logger().log(record.levelno, "a library's line", library=record.name, at=at, **facts)
