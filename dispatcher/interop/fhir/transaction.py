"""A transaction Bundle: requests that belong together, as one episode; all of it is stored, or nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from contracts import codec
from contracts.episode_views import EpisodeSubmission
from contracts.episodes import MAX_REQUESTS, EpisodeDraft
from contracts.problems import InvalidMessage, MissingHeader
from contracts.requests import Request
from dispatcher.interop.fhir import creating, plan
from dispatcher.interop.fhir.along import refuse_other_meaning
from dispatcher.interop.fhir.canonical import EPISODE_ID
from dispatcher.interop.fhir.datatypes import (
    REQUESTS,
    Asked,
    Bundle,
    DeviceRequest,
    Entry,
    Identifier,
    ServiceRequest,
)
from dispatcher.interop.fhir.elements import refuse_modifiers
from dispatcher.interop.fhir.extension_table import PLAN
from dispatcher.interop.fhir.ids import chosen, hashed, named, request_name
from dispatcher.interop.fhir.references import Around, Near, read

BESIDE = frozenset({"Patient", "Location", "Coverage"})
TAKEN = ", ".join([*REQUESTS, *sorted(BESIDE), PLAN])


class Whole(NamedTuple):
    """What a bundle asks for; `names`: of each entry the id of its request, or "" where it has none."""

    submission: EpisodeSubmission
    names: tuple[str, ...]
    kinds: tuple[str, ...]


class _Item(NamedTuple):
    """An entry that is a request: its place, what it is called, what it says."""

    at: str
    name: str
    given: Asked


def read_bundle(body: Mapping[str, Any], caller: str, key: str, zone: str) -> Whole:
    """The episode that it is. Raises InvalidMessage, MissingHeader."""
    bundle = read(body, Bundle)
    if body.get("resourceType") != "Bundle" or bundle.type != "transaction":
        raise InvalidMessage.at(
            "/type", "a Bundle of type transaction belongs here\nMaybe POST its resources one by one."
        )
    refuse_modifiers(body)
    refuse_other_meaning(body, "Bundle", "")
    kinds = tuple(_kind(each, f"/entry/{n}") for n, each in enumerate(bundle.entry))
    items = {n: _item(each, n, caller, key) for n, each in enumerate(bundle.entry) if kinds[n] in REQUESTS}
    beside, requests = _addresses(bundle.entry, kinds, items)
    used = set[str]()
    made = [_request(each, beside, requests, used, zone) for each in items.values()]
    drafts = _plans(bundle.entry, kinds, requests)
    _refuse_unused(bundle.entry, kinds, used)
    name = _episode(bundle.identifier, [each.given for each in items.values()], caller, key)
    submission = _submission(name, made, drafts)
    return Whole(submission, tuple(items[n].name if n in items else "" for n in range(len(kinds))), kinds)


def _kind(entry: Entry, at: str) -> str:
    """What an entry is. Raises InvalidMessage: nothing that can be created here."""
    said = (entry.resource or {}).get("resourceType")
    if not isinstance(said, str) or said not in REQUESTS.keys() | BESIDE | {PLAN}:
        shown = said[:40] if isinstance(said, str) else "none"
        raise InvalidMessage.at(
            f"{at}/resource", f"its type is {shown}\nMaybe leave it out: {TAKEN} are read."
        )
    if entry.request is None or entry.request.method != "POST" or entry.request.url != said:
        hint = "send it as new: it goes with the orders, and is kept nowhere else"
        raise InvalidMessage.at(
            f"{at}/request",
            f"in a transaction it is POST {said}\n"
            f"Maybe {hint if said in BESIDE else 'change or cancel one by one'}.",
        )
    return said


def _item(entry: Entry, number: int, caller: str, key: str) -> _Item:
    at = f"/entry/{number}/resource"
    body, asked = entry.resource or {}, entry.request
    given = creating.decoded(body, str(body["resourceType"]), at)
    condition = asked.if_none_exist if asked else ""
    identifier = chosen(given.identifier, condition)
    return _Item(at, request_name(identifier, caller, f"{key}/{number}" if key else ""), given)


def _addresses(
    entries: Sequence[Entry], kinds: Sequence[str], items: Mapping[int, _Item]
) -> tuple[dict[str, Near], dict[str, str]]:
    """What entries are called by the others: what stands beside, and requests. Raises InvalidMessage."""
    beside, requests = dict[str, Near](), dict[str, str]()
    for n, each in enumerate(entries):
        if not each.full_url:
            continue
        if each.full_url in beside or each.full_url in requests:
            raise InvalidMessage.at(
                f"/entry/{n}/fullUrl", "two entries have one fullUrl\nMaybe number them anew."
            )
        for name in _names_of(each.full_url, kinds[n]):
            if n in items:
                requests[name] = items[n].name
            elif kinds[n] in BESIDE:
                beside[name] = Near(each.resource or {}, f"/entry/{n}/resource", each.full_url)
    return beside, requests


def _names_of(full_url: str, kind: str) -> tuple[str, ...]:
    """How others may refer to an entry: by its address, or the end of it, `Patient/7`."""
    base, _, last = full_url.rpartition("/")
    return (full_url, f"{kind}/{last}") if base.endswith(f"/{kind}") else (full_url,)


def _request(
    item: _Item, beside: Mapping[str, Near], requests: Mapping[str, str], used: set[str], zone: str
) -> Request:
    around = Around(item.given.contained, item.at, beside, requests, used)
    composing = creating.composed(item.given, item.name, around, item.at)
    composing.ours.pop("episode", None)  # the bundle is it
    return creating.made(composing, zone).request


def _plans(entries: Sequence[Entry], kinds: Sequence[str], requests: Mapping[str, str]) -> dict[str, Any]:
    found = [(n, each) for n, each in enumerate(entries) if kinds[n] == PLAN]
    if len(found) > 1:
        raise InvalidMessage.at(
            f"/entry/{found[1][0]}", f"a second {PLAN}\nMaybe put all actions into the first."
        )
    for n, each in found:
        return plan.draft(each.resource or {}, Around((), requests=requests), f"/entry/{n}/resource")
    return {}


def _refuse_unused(entries: Sequence[Entry], kinds: Sequence[str], used: set[str]) -> None:
    for n, each in enumerate(entries):
        if kinds[n] in BESIDE and each.full_url not in used:
            raise InvalidMessage.at(
                f"/entry/{n}", f"no request refers to this {kinds[n]}\nMaybe its fullUrl is misspelt."
            )


def _episode(identifier: Identifier | None, asked: Sequence[Asked], caller: str, key: str) -> str:
    """The episode's id: by the bundle's identifier, that which all its requests share, or the key."""
    if identifier is not None and identifier.value:
        return _named(identifier)
    groups = {_group(each) for each in asked}
    shared = {_named(each) for each in groups if each is not None}
    if len(shared) > 1:
        raise InvalidMessage.at(
            "/entry",
            "its requests have different group identifiers\nMaybe send each group as a bundle of its own.",
        )
    if shared:
        return shared.pop()
    if key:
        return hashed("episode", caller, key)
    raise MissingHeader(
        "the bundle has no identifier, nor have its requests a common one, and Idempotency-Key is missing\n"
        "Maybe give the bundle an identifier: sent again, it is then the same episode."
    )


def _group(given: Asked) -> Identifier | None:
    if isinstance(given, ServiceRequest):
        return given.requisition
    return given.group_identifier if isinstance(given, DeviceRequest) else None


def _named(identifier: Identifier) -> str:
    return named(identifier, EPISODE_ID)


def _submission(name: str, requests: Sequence[Request], draft: Mapping[str, Any]) -> EpisodeSubmission:
    if not 1 <= len(requests) <= MAX_REQUESTS:
        raise InvalidMessage.at(
            "/entry",
            f"{len(requests)} requests are among its entries\nMaybe send 1 to {MAX_REQUESTS} at once.",
        )
    episode = codec.convert(draft, EpisodeDraft)
    return EpisodeSubmission(id=name, requests=tuple(requests), episode=episode)
