"""If-Match (RFC 9110, 13.1.1): which versions a change may be made to.

`"3"`: version 3. `"3", "4"`: either. `*`: whichever stands, as long as one does. A weak tag (`W/"3"`, as a
proxy makes it when it compresses) never matches: it names what means the same, and this asks for the same.
"""

from __future__ import annotations

import re

import msgspec

from contracts.problems import InvalidParameter

_TAG = r'(?:W/)?"[!#-~]*"'
_TAGS = re.compile(rf"{_TAG}(?:[ \t]*,[ \t]*{_TAG})*")
_OURS = re.compile(r'(?<!W/)"([0-9]{1,9})"')


class IfMatch(msgspec.Struct, frozen=True):
    """The versions that are named; `any`: whichever stands."""

    versions: tuple[int, ...] = ()
    any: bool = False

    def fits(self, version: int) -> bool:
        """Whether a change to this version is meant."""
        return self.any or version in self.versions


def parse(text: str) -> IfMatch:
    """What the header says. Raises InvalidParameter for what is no list of entity tags."""
    if text == "*":
        return IfMatch(any=True)
    if not _TAGS.fullmatch(text):
        raise InvalidParameter(
            f'If-Match is not an ETag such as "3", nor *; it has {len(text)} characters\n'
            "Maybe the quotation marks are missing: they belong to it."
        )
    return IfMatch(tuple(int(version) for version in _OURS.findall(text)))
