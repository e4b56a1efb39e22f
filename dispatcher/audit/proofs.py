"""Whether requests know what is proved, and every picture that a proof names lies where it should, whole."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Final, NamedTuple

from dispatcher.audit.blobs import Named, faults
from dispatcher.blobs.port import Blobs
from dispatcher.domain.proofs import PROOF_KIND, ProofRecord, proof_id
from dispatcher.domain.request_kind import REQUEST_KIND
from dispatcher.domain.requests import RequestRecord, offer_id
from dispatcher.security.key_files import PatientKeyFile
from dispatcher.security.vault import Vault
from dispatcher.store.listing import END
from dispatcher.store.market import MarketStore
from dispatcher.store.node import Node
from dispatcher.store.papers import folder
from dispatcher.store.servers import Servers
from dispatcher.store.survey import Survey, of_kind

RULE: Final = "proof_pictures"
NO_KEYS: Final = PatientKeyFile("none", {"none": bytes(32)})  # nothing is opened


def unknown_to_requests(found: Survey) -> Iterator[tuple[str, str]]:
    """What an offer says of its proof is what its proof says."""
    proofs = found.of_kind(PROOF_KIND, ProofRecord)
    hidden = found.damaged.get(PROOF_KIND.name, set())
    for request in of_kind(found, REQUEST_KIND.name, RequestRecord):
        for offer in request.offers:
            name = proof_id(offer_id(request, offer))
            proof = proofs.get(name)
            if offer.proved and proof is None and name not in hidden:
                yield name, "is gone, and its request knows of it"
            elif proof is not None and offer.proved != int(proof.proved):
                yield name, f"proves {int(proof.proved)}, its request says {offer.proved}"


class Look(NamedTuple):
    told: dict[str, int]
    wrong: list[tuple[str, str]]


async def judge_pictures(
    servers: Servers, market: str, blobs: Blobs
) -> tuple[dict[str, int], list[dict[str, str]]]:
    """What was looked at, and findings that were there twice. Raises OSError, Unavailable."""
    node = Node(servers, Vault(NO_KEYS))
    stored = MarketStore(node, market)
    looks = [await _look(stored, blobs)]
    if looks[0].wrong:  # some may have been forgotten while we read
        looks.append(await _look(stored, blobs))
    found = [each for each in looks[-1].wrong if each in looks[0].wrong]
    return looks[-1].told, [{"rule": RULE, "subject": what, "detail": how} for what, how in found]


async def _look(stored: MarketStore, blobs: Blobs) -> Look:
    """Records first: a picture is put before its record names it."""
    records = [each async for page in stored.proofs.between(0, END) for each in page]
    kept = {each.name: each.size for each in await asyncio.to_thread(blobs.under, stored.name)}
    kept = {name: size for name, size in kept.items() if not name.startswith(f"{folder(stored.name)}/")}
    named = {picture.name for each in records for picture in each.pictures}
    expected = [
        Named(each.id, one.name, one.size, one.sealed)
        for each in records
        if not each.over
        for one in each.pictures
    ]
    wrong = await asyncio.to_thread(faults, "picture", expected, kept, blobs)
    told = {"proofs": len(records), "pictures": len(named), "pictures_unnamed": len(kept.keys() - named)}
    return Look(told, wrong)
