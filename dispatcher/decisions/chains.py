"""Both chains of a market, judged for `dispatcher audit`: what lasts over two looks is a finding."""

from __future__ import annotations

from typing import Any, Final

from dispatcher.decisions import chain, sealing
from dispatcher.decisions.blobs import blobs_of
from dispatcher.decisions.store import DecisionStore
from dispatcher.security.key_files import PatientKeyFile
from dispatcher.security.vault import Vault
from dispatcher.settings import Settings
from dispatcher.store.committer import Committer
from dispatcher.store.connection import Reader
from dispatcher.store.market import MarketStore
from dispatcher.store.node import Node

_NO_KEYS: Final = PatientKeyFile(
    "none", {"none": bytes(32)}
)  # hashes are of what is sealed: nothing is opened


async def judge(
    client: Any, url: str, timeout_s: float, market: str, settings: Settings
) -> tuple[dict[str, Any], list[dict[str, str]]]:
    """What was looked at, and findings. Nothing is changed. Raises OSError, Unavailable."""
    vault = Vault(_NO_KEYS)
    node = Node(url, Reader(client, timeout_s), Committer(client, timeout_s=timeout_s), vault)
    stored = MarketStore(node, market)
    kept = DecisionStore(blobs_of(settings.decisions, settings.data_dir), vault)
    decided, sealed = await chain.judge(stored, kept), await sealing.judge(stored)
    wrong = {(chain.RULE, *each) for each in decided.wrong} | {(sealing.RULE, *each) for each in sealed.wrong}
    if wrong:  # some may have been forgotten while we read
        again, resealed = await chain.judge(stored, kept), await sealing.judge(stored)
        lasts = [(chain.RULE, *each) for each in again.wrong] + [
            (sealing.RULE, *each) for each in resealed.wrong
        ]
        found = [each for each in lasts if each in wrong]
    else:
        found = []
    findings = [{"rule": rule, "subject": what, "detail": how} for rule, what, how in found]
    told = {"decisions": decided.entries, "decisions_unlinked": decided.unlinked, "sealed": sealed.entries}
    return told, findings
