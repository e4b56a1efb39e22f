"""Both chains of a market, judged for `dispatcher audit`: what lasts over two looks is a finding."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from dispatcher.blobs.places import decisions_of
from dispatcher.decisions import chain, sealing
from dispatcher.decisions.store import DecisionStore
from dispatcher.security.key_files import PatientKeyFile
from dispatcher.security.vault import Vault
from dispatcher.settings import Settings
from dispatcher.store.connection import StoreError, server_words
from dispatcher.store.market import MarketStore
from dispatcher.store.node import Node
from dispatcher.store.servers import Servers

_NO_KEYS: Final = PatientKeyFile(
    "none", {"none": bytes(32)}
)  # hashes are of what is sealed: nothing is opened


async def judge(
    servers: Servers, market: str, settings: Settings
) -> tuple[dict[str, Any], list[dict[str, str]]]:
    """What was looked at, and findings. Nothing is changed. Raises OSError, Unavailable."""
    vault = Vault(_NO_KEYS)
    node = Node(servers, vault)
    stored = MarketStore(node, market)
    kept = DecisionStore(decisions_of(settings), vault)
    try:
        looks = [await _look(stored, kept)]
        if looks[0].wrong:  # some may have been forgotten while we read
            looks.append(await _look(stored, kept))
    except StoreError as error:
        code = server_words(error).partition(" ")[0]
        keys = stored.keys
        how = f"cannot be read ({code}): {keys.decisions} and {keys.seals} should be streams of ours"
        return {}, [{"rule": chain.RULE, "subject": "the ledgers", "detail": how}]
    found = [each for each in looks[-1].wrong if each in looks[0].wrong]
    findings = [{"rule": rule, "subject": what, "detail": how} for rule, what, how in found]
    return looks[-1].told, findings


class _Look(NamedTuple):
    told: dict[str, Any]
    wrong: list[tuple[str, str, str]]


async def _look(stored: MarketStore, kept: DecisionStore) -> _Look:
    decided, sealed = await chain.judge(stored, kept), await sealing.judge(stored)
    told = {"decisions": decided.entries, "decisions_unlinked": decided.unlinked, "sealed": sealed.entries}
    told |= {"sealed_late": sealed.late}
    wrong = [(chain.RULE, *each) for each in decided.wrong]
    return _Look(told, wrong + [(sealing.RULE, *each) for each in sealed.wrong])
