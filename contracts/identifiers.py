"""Identifiers of a request: numbers under which others know it, beside its own id."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from contracts.base import Wire
from contracts.outside import refuse_odd_line

MAX_IDENTIFIERS = 16


class Identifier(Wire):
    """A number of somebody's own: a hospital's order, a broker's trip. It may lead to a person: it is kept
    as the patient is, and the vendor that has the work sees it.
    """

    system: Annotated[str, Meta(max_length=256, description="whose number it is: a URI, or a word")] = ""
    value: Annotated[str, Meta(min_length=1, max_length=256)]

    def refuse_from_outside(self, pointer: str = "") -> None:
        """Refuse what is no line that can be read. It is not repeated."""
        refuse_odd_line(f"{pointer}/value", self.value, "an identifier")
        if self.system:
            refuse_odd_line(f"{pointer}/system", self.system, "a system")


Identifiers = Annotated[tuple[Identifier, ...], Meta(max_length=MAX_IDENTIFIERS)]


def refuse_odd_identifiers(identifiers: tuple[Identifier, ...], pointer: str) -> None:
    """Refuse what each of them refuses."""
    for place, each in enumerate(identifiers):
        each.refuse_from_outside(f"{pointer}/identifiers/{place}")
