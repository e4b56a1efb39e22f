"""The texts, by template and language: files `<template>.<language>.txt`, the first line the subject.

`$when` is the time that was agreed, in the recipient's time zone: all that a text needs.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from string import Template as Text
from typing import NamedTuple
from zoneinfo import ZoneInfo

from contracts.instants import to_instant
from contracts.notifications import Template

FOLDER = Path(__file__).parent / "texts"
FALLBACK = "en"


class Worded(NamedTuple):
    """A text in a language that there is."""

    language: str
    subject: str
    text: str


def worded(template: Template, language: str, start_ms: int, tz: ZoneInfo) -> Worded:
    """In that language, or else in English."""
    spoken = language if (template, language) in _texts() else FALLBACK
    subject, text = _texts()[template, spoken]
    when = _local(to_instant(start_ms).astimezone(tz), tz)
    return Worded(spoken, subject, text.substitute(when=when))


def _local(at: datetime, tz: ZoneInfo) -> str:
    return f"{at:%Y-%m-%d %H:%M} ({tz.key})"


@cache
def _texts() -> Mapping[tuple[str, str], tuple[str, Text]]:
    found = {}
    for path in sorted(FOLDER.glob("*.txt")):
        name, _, language = path.stem.rpartition(".")
        subject, _, text = path.read_text(encoding="utf-8").partition("\n")
        found[name, language] = subject, Text(text.strip() + "\n")
    return found
