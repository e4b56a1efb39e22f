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
NEW = 'send If-None-Match: *, or If-Match: "0", or neither of them'
NO_VERSION = 1_000_000_000  # nothing is ever at it: a change to it is refused as any other that must not be


def etag(version: int) -> Mapping[str, str]:
    """The header that names a version."""
    return {"ETag": f'"{version}"'}


async def posted(call: Call, change: Change[int], current: Current) -> Reply:
    """The change, as `changed` makes it, with the answer `POSTED` to it."""
    version, status = await put(call, change, current)
    return Reply(Posted(version=version), status, etag(version))


async def put(call: Call, change: Change[Result], current: Current) -> tuple[Result, int]:
    """As `changed`, with the status that tells of it: 201 where it is new, else 200."""
    over = 0

    async def noted(version: int) -> Result:
        nonlocal over
        over = version
        return await change(version)

    return await changed(call, noted, current), 200 if over else 201


async def changed(call: Call, change: Change[Result], current: Current) -> Result:
    """The change, made to a version that If-Match names; without the header it is meant as new, as with
    `If-None-Match: *`. What is not there yet is at version 0.

    `current`: the version that stands; it raises NotFound if none does. Raises what `change` does,
    MissingPrecondition (it is there already) and Stale (none of the versions named is current).
    """
    wanted = call.if_match
    if wanted is None or wanted.new:
        return await _as_new(change, wanted)
    stands: int | None = None
    for _ in range(ATTEMPTS if wanted.any else 1):
        stands = await _standing(current)
        fits = wanted.fits(stands or 0) and (stands is not None or not wanted.any)
        try:
            return await change((stands or 0) if fits else NO_VERSION)
        except Stale:
            continue  # none that is named stands; or another change came between, and `*` means that one, too
    raise _stale(wanted) if stands is not None else _nothing_there(wanted)


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


async def _standing(current: Current) -> int | None:
    """The version that stands; None: there is nothing."""
    try:
        return await current()
    except NotFound:
        return None
    except Unreadable as refusal:  # it may be written over, by the version that the refusal names
        if "version" not in refusal.facts:
            raise
        return int(refusal.facts["version"])


def _nothing_there(wanted: IfMatch) -> Stale:
    if wanted.contrary:
        return _contrary()
    said = "*" if wanted.any else f"version {' or '.join(map(str, wanted.versions))}"
    if not wanted.any and not wanted.versions:
        said = "no version of ours"
    return Stale(
        f"If-Match names {said}, and nothing is there yet\nMaybe it is new: {NEW}.",
        **({"expected_version": wanted.versions[0]} if wanted.versions else {}),
    )


def _contrary() -> Stale:
    return Stale(
        "If-Match asks for what is there, and If-None-Match: * for what is not: no change fits both\n"
        "Maybe leave one out: If-Match to change it, If-None-Match: * to make it."
    )


def _stale(wanted: IfMatch) -> Stale:
    if wanted.any:
        return _nothing_there(wanted)
    if wanted.contrary:
        return _contrary()
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


async def _as_new(change: Change[Result], wanted: IfMatch | None) -> Result:
    try:
        return await change(0)
    except Stale as refusal:
        if wanted is not None:
            raise Stale(
                "If-None-Match is *, and it is there already\nMaybe read it, and send its ETag in If-Match."
            ) from refusal
        raise MissingPrecondition(
            "it is there already, and If-Match is missing\nMaybe read it, and send its ETag in If-Match."
        ) from refusal
