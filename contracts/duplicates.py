"""What may be asked for twice: which request of a call, and which others it may be again."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from contracts.base import Id, Wire

MAX_NAMED = 64

RequestIds = Annotated[tuple[Id, ...], Meta(max_length=MAX_NAMED)]


class Duplicate(Wire, omit_defaults=False):
    """One request of a call that was refused, and what it may be again; `pointer`: its place in the body."""

    request_id: Id
    duplicate_of: tuple[Id, ...]
    pointer: str = ""
