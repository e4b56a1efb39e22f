"""If-Match and If-None-Match (RFC 9110, 13.1): which versions a change may be made to.

`"3"`: version 3. `"3", "4"`: either. `"0"`: what is not there yet, and `If-None-Match: *` says the same.
`*`: whichever stands, as long as one does. A weak tag (`W/"3"`, as a proxy makes it when it compresses) never
matches: it names what means the same, and this asks for the same.
"""

from __future__ import annotations

import re

import msgspec

from contracts.problems import InvalidParameter

_TAG = r'(?:W/)?"[!#-~]*"'
_TAGS = re.compile(rf"{_TAG}(?:[ \t]*,[ \t]*{_TAG})*")
_OURS = re.compile(r'(?<!W/)"([0-9]{1,9})"')


class IfMatch(msgspec.Struct, frozen=True):
    """The versions that are named; `any`: whichever stands; `new`: none does; `contrary`: both at once."""

    versions: tuple[int, ...] = ()
    any: bool = False
    new: bool = False
    contrary: bool = False

    def fits(self, version: int) -> bool:
        """Whether a change to this version is meant."""
        return self.any or version in self.versions


def parse_none(text: str) -> IfMatch:
    """What If-None-Match says of a change. Raises InvalidParameter for anything but `*`."""
    if text.strip() != "*":
        raise InvalidParameter(
            f"If-None-Match of a change is *, and it has {len(text)} characters\n"
            "Maybe If-Match is meant: it names the version that is changed."
        )
    return IfMatch(new=True)


def both(stands: IfMatch, new: IfMatch) -> IfMatch:
    """Both headers hold: of what is not there yet, if that is among what is named; else of nothing."""
    return new if 0 in stands.versions else IfMatch(contrary=True)


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
