"""What is known of vendors beside their documents: a reader for each subject that a rule `reads`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from contracts.tuning import Number
from dispatcher.matching import acceptance
from dispatcher.service import damping, shares
from dispatcher.store.market import MarketStore
from solvers.rules import acceptance as acceptance_rule
from solvers.rules import scorecard
from solvers.rules import shares as offers
from solvers.screening import VendorKnowledge

#: What is stored, moment (epoch ms) and tuning to what is known, by vendor id.
Reader = Callable[[MarketStore, int, Mapping[str, Number]], Awaitable[Mapping[str, Any]]]
READERS: Final[Mapping[str, Reader]] = {
    scorecard.RULE.reads: damping.read,
    offers.RULE.reads: shares.read,
    acceptance_rule.RULE.reads: acceptance.read,
}


async def read_knowledge(stored: MarketStore, now_ms: int, values: Mapping[str, Number]) -> VendorKnowledge:
    """All subjects, as they are now."""
    return {subject: await read(stored, now_ms, values) for subject, read in READERS.items()}
