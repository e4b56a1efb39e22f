"""Log lines: one event a line with its facts, as JSON or for people; never patient data."""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import MutableMapping
from typing import Any, TextIO, cast

import structlog

from dispatcher.runtime.errors import kind_of_failure

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
MAX_FRAMES, MAX_CAUSES = 12, 4


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
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _outlined,
            lines.told,
            shape,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=structlog.WriteLoggerFactory(cast(TextIO, lines)),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=logging.WARNING, handlers=[Libraries()], force=True)


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
        facts = {} if error is None else outline(error)
        at = f"{record.filename}:{record.lineno}"
        structlog.get_logger().log(record.levelno, "a library's line", library=record.name, at=at, **facts)
