"""Errors that a person can act on: shown without a traceback, ending with what may fix them.

UserError          something outside the program is wrong (exit code 1)
└── UsageError     the command line is wrong (exit code 2)
"""

import os


def kind_of_failure(error: BaseException) -> str:
    """Its class, and of the system's failures its own words: a full disk is not a missing right.

    Never the error's text, which may hold anything.
    """
    name = type(error)
    if isinstance(error, OSError) and error.errno and name.__module__ == "builtins":
        return f"{name.__name__}: {os.strerror(error.errno)}"
    return name.__qualname__


class UserError(Exception):
    """An expected failure.

    `message` names the value and the limit it broke; `remedy`, on a line of its own, says what may fix it.
    """

    exit_code = 1

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message, remedy)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message}\n{self.remedy}" if self.remedy else self.message


class UsageError(UserError):
    """The command or one of its arguments cannot be understood."""

    exit_code = 2
