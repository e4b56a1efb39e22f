"""What can be wrong with the files of a day."""

from __future__ import annotations


class DayError(Exception):
    """A day cannot be played: `message` names file, line and value, `remedy` says what may fix it."""

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message}\n{self.remedy}" if self.remedy else self.message
