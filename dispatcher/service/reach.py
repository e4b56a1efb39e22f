"""What follows from a decision may reach farther than what was read for it: that is read, and decided anew.

A bundle whose part failed gives the others back: these have tasks to be settled, and successors to be told,
which are not beside the part that failed.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from dispatcher.domain.context import Context
from dispatcher.domain.decision import Decision
from dispatcher.store.market import MarketStore

FARTHEST = 8  # records one beside the other; what is farther has its own timer


async def with_all_beside(
    stored: MarketStore, context: Context, decide: Callable[[Context], Decision | None]
) -> Decision | None:
    """The decision, made on all that is beside what it changes. Raises what `decide` raises."""
    decision = decide(context)
    for _ in range(FARTHEST):
        more = await stored.farther(decision, context.related) if decision is not None else {}
        if not more:
            break
        context = replace(context, related={**more, **context.related})
        decision = decide(context)
    return decision
