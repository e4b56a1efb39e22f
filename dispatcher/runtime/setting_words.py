"""What is wrong with a setting, in the words of who typed it, and without a password."""

from __future__ import annotations

import re
from typing import Any, get_args

ENUM = "Invalid enum value"
WORDS = (
    ("Expected `int`, got", "it is no whole number"),
    ("Expected `float`, got", "it is no number"),
    ("Expected `bool`, got", "it is neither 1 nor 0"),
    (r"Expected `\w+` ([<>]=?) (\S+)", r"it is not \1 \2"),
    ("Expected `str` matching regex", "it has another form"),
)


def without_password(url: str) -> str:
    """An address as an error may show it, which lands in logs."""
    user, asks, where = url.rpartition("@")
    scheme, follows, _ = user.partition("://")
    return f"{scheme if follows else ''}{follows}…@{where}" if asks else url


def in_words(error: Exception, hint: Any) -> str:
    """Why a value is none: as our own parsers say it; what a decoder says is put in other words."""
    told = str(error)
    if told.startswith(ENUM):
        return f"known are {', '.join(get_args(get_args(hint)[0]))}"
    for pattern, words in WORDS:
        if found := re.match(pattern, told):
            return found.expand(words)
    return told
