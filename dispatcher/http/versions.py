"""What carries a version: its ETag, and changes with or without If-Match."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import TypeVar

from contracts.operations import Answer
from contracts.problems import MissingPrecondition
from contracts.vendors import Posted
from dispatcher.domain.refusals import Stale
from dispatcher.http.call import Call, Reply
from dispatcher.http.routing import ETAG

Result = TypeVar("Result")

POSTED = {200: Answer("stored", Posted, ETAG), 201: Answer("it is new", Posted, ETAG)}


def etag(version: int) -> Mapping[str, str]:
    """The header that names a version."""
    return {"ETag": f'"{version}"'}


def posted(version: int) -> Reply:
    """The answer `POSTED` to what is now stored under this version."""
    return Reply(Posted(version=version), 201 if version == 1 else 200, etag(version))


async def changed(call: Call, change: Awaitable[Result]) -> Result:
    """The change made; without If-Match it was meant as new, and Stale says that it is not."""
    try:
        return await change
    except Stale as refusal:
        if call.version is not None:
            raise
        raise MissingPrecondition(
            "it is there already, and If-Match is missing\nMaybe read it, and send its ETag in If-Match."
        ) from refusal
