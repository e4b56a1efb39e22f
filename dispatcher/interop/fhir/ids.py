"""Names: which request of ours an identifier means, and how our ids stand in FHIR.

A FHIR id has no `_` and may have `.`, an id of ours the other way round: each stands for the other. The id of
a request that comes as FHIR follows from one identifier: the same order, sent again, is the same request, and
is found by that one without an index, though its identifiers are sealed.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from urllib.parse import unquote_plus

from contracts.problems import InvalidMessage, InvalidParameter, MissingHeader
from dispatcher.interop.fhir.canonical import REQUEST_ID
from dispatcher.interop.fhir.datatypes import Identifier

FHIR_ID = r"[A-Za-z0-9\-.]{1,64}"
_OURS = re.compile("[A-Za-z0-9_-]{1,64}")
_EITHER = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_SEARCH = re.compile(r"(?:[^?]*\?)?identifier=([^&]+)")  # alone, or the end of an address
_TOKEN = re.compile(r"((?:[^|,\\]|\\.)*)\|((?:[^,\\]|\\.)+)", re.DOTALL)
_ESCAPED = re.compile(r"\\([|,$\\])")


def fhir_id(name: str) -> str:
    """An id of ours as FHIR may have it."""
    return name.replace("_", ".")


def our_id(name: str) -> str:
    """An id of ours as it was in FHIR."""
    return name.replace(".", "_")


def hashed(*parts: str) -> str:
    """An id that says nothing and is always the same for the same parts."""
    digest = hashlib.blake2b("\0".join(parts).encode(), digest_size=16).digest()
    return f"fhir-{base64.b32encode(digest).decode().rstrip('=').lower()}"


def named(identifier: Identifier, own: str = REQUEST_ID) -> str:
    """The id that follows from an identifier: of our `own` system as it stands, else hashed."""
    if identifier.system != own:
        return hashed(identifier.system, identifier.value)
    if not _OURS.fullmatch(identifier.value):
        raise InvalidMessage.at(
            "/identifier", f"a value of system {own} is 1 to 64 of A-Z a-z 0-9 _ -\nMaybe shorten it."
        )
    return identifier.value


def chosen(identifiers: Sequence[Identifier], if_none_exist: str = "") -> Identifier | None:
    """The one by which a request is known: that of If-None-Exist, else the official one, else the first."""
    known = [each for each in identifiers if each.in_use]
    if if_none_exist:
        wanted = searched(if_none_exist)
        if not any((each.system, each.value) == (wanted.system, wanted.value) for each in known):
            raise InvalidParameter(
                "If-None-Exist names an identifier that the resource does not have\n"
                "Maybe system or value is misspelt: it is known by this identifier afterwards."
            )
        return wanted
    official = [each for each in known if each.use == "official"]
    return next(iter([*official, *known]), None)


def searched(query: str) -> Identifier:
    """What `identifier=SYSTEM|VALUE` looks for. Raises InvalidParameter for any other search."""
    found = _SEARCH.fullmatch(query)
    if found is None:
        raise InvalidParameter(
            "If-None-Exist is identifier=SYSTEM|VALUE, and nothing else\nMaybe leave out other criteria."
        )
    return token(unquote_plus(found[1]))


def token(text: str) -> Identifier:
    """An identifier as a search has it. Raises InvalidParameter without its system: it could be anybody's."""
    found = _TOKEN.fullmatch(text)
    if found is None:
        raise InvalidParameter(
            "one identifier is searched for, as SYSTEM|VALUE\n"
            "Maybe the bar is not escaped (%7C), or a comma of its own is not (\\,)."
        )
    system, value = (_ESCAPED.sub(r"\1", each) for each in found.groups())
    return Identifier(system=system, value=value)


def sought(text: str, own: str = REQUEST_ID) -> str:
    """The id that follows from `SYSTEM|VALUE` of a search. Raises InvalidParameter."""
    try:
        return named(token(text), own)
    except InvalidMessage as error:
        raise InvalidParameter(error.facts["errors"][0].detail) from None


def one(text: str) -> str:
    """The id of ours that `_id` means. Raises InvalidParameter: it is no id, or several."""
    if not _EITHER.fullmatch(text):
        raise InvalidParameter(
            "_id is one id, of 1 to 64 of A-Z a-z 0-9 - .\nMaybe ask for one after the other."
        )
    return our_id(text)


def request_name(identifier: Identifier | None, caller: str, key: str) -> str:
    """The id of a new request: by its identifier, else by its caller's Idempotency-Key."""
    if identifier is not None:
        return named(identifier)
    if key:
        return hashed("key", caller, key)
    raise MissingHeader(
        "the resource has no identifier, and Idempotency-Key is missing\n"
        "Maybe give an identifier (the order's number): sent again, it is then the same order."
    )
