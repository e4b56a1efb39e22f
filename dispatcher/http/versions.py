"""What carries a version: its ETag, and changes with or without If-Match."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeVar

from contracts.operations import Answer
from contracts.problems import MissingPrecondition
from contracts.vendors import Posted
from dispatcher.domain.refusals import NotFound, Stale, Unreadable
from dispatcher.http.call import Call, Reply
from dispatcher.http.if_match import IfMatch
from dispatcher.http.routing import ETAG

Result = TypeVar("Result")
Change = Callable[[int], Awaitable[Result]]
Current = Callable[[], Awaitable[int]]
Again = Callable[[Sequence[int]], Awaitable[Result | None]]

POSTED = {200: Answer("stored", Posted, ETAG), 201: Answer("it is new", Posted, ETAG)}
ATTEMPTS = 5  # `*` means whichever version stands, also when another change comes between
NO_VERSION = 1_000_000_000  # nothing is ever at it: a change to it is refused as any other that must not be


def etag(version: int) -> Mapping[str, str]:
    """The header that names a version."""
    return {"ETag": f'"{version}"'}


def posted(version: int) -> Reply:
    """The answer `POSTED` to what is now stored under this version."""
    return Reply(Posted(version=version), 201 if version == 1 else 200, etag(version))


async def changed(call: Call, change: Change[Result], current: Current) -> Result:
    """The change, made to a version that If-Match names; without the header it is meant as new.

    `current`: the version that stands; it raises NotFound if none does. Raises what `change` does,
    MissingPrecondition (it is there already) and Stale (none of the versions named is current).
    """
    wanted = call.if_match
    if wanted is None:
        return await _as_new(change)
    for _ in range(ATTEMPTS if wanted.any else 1):
        try:
            return await change(await _meant(wanted, current))
        except Stale:
            continue  # none that is named stands; or another change came between, and `*` means that one, too
    raise _stale(wanted)


async def removed(call: Call, change: Change[Result], current: Current, again: Again[Result]) -> Result:
    """As `changed`, of what removes something: said again with its versions, it is answered as before.

    `again`: that answer, if this caller removed it at one of these versions.
    """
    try:
        return await changed(call, change, current)
    except (NotFound, Stale):
        told = await again(call.if_match.versions) if call.if_match is not None else None
        if told is None:
            raise
        return told


def refuse_stale(wanted: IfMatch | None, version: int) -> None:
    """Raises Stale where a call is meant for another version than stands."""
    if wanted is not None and not wanted.fits(version):
        raise _stale(wanted)


async def _meant(wanted: IfMatch, current: Current) -> int:
    """The version that stands, if it is one that is named."""
    try:
        version = await current()
    except NotFound:
        return NO_VERSION
    except Unreadable as refusal:  # it may be written over, by the version that the refusal names
        if "version" not in refusal.facts:
            raise
        version = int(refusal.facts["version"])
    return version if wanted.fits(version) else NO_VERSION


def _stale(wanted: IfMatch) -> Stale:
    if wanted.any:
        return Stale("If-Match is *, and there is nothing to change\nMaybe leave it out: then it is new.")
    if not wanted.versions:
        return Stale(
            "If-Match names no version: a weak ETag never matches, nor one that is not ours\n"
            "Maybe a proxy made it weak: send it as this service gave it."
        )
    return Stale(
        f"it is not at version {' or '.join(map(str, wanted.versions))}\n"
        "Maybe read it again and send its ETag as If-Match.",
        expected_version=wanted.versions[0],
    )


async def _as_new(change: Change[Result]) -> Result:
    try:
        return await change(0)
    except Stale as refusal:
        raise MissingPrecondition(
            "it is there already, and If-Match is missing\nMaybe read it, and send its ETag in If-Match."
        ) from refusal
