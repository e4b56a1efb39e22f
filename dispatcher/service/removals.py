"""A removal that is said again, for its answer was lost, is answered as the first; for a day."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from dispatcher.security.principal import Principal
from dispatcher.store.idempotency import IdempotencyRecord
from dispatcher.store.keys import Keys
from dispatcher.store.market import MarketStore
from dispatcher.store.program import Program

Also = Callable[[Program], None]


def removal(who: Principal, what: str, version: int, answer: bytes = b"") -> IdempotencyRecord:
    """That this caller removed it at that version; `answer`: what it was told, if it is not made anew."""
    return IdempotencyRecord.of(f"remove/{who.caller}", f"{what}@{version}", b"", answer)


def noted(keys: Keys, who: Principal, what: str, version: int, answer: bytes = b"") -> Also:
    """Part of the commit that removes it. One that was made anew at that version may be removed, too."""

    def also(program: Program) -> None:
        program.note(keys, removal(who, what, version, answer))

    return also


async def answered(stored: MarketStore, who: Principal, what: str, versions: Iterable[int]) -> bytes | None:
    """What this caller was told when it removed it at one of these versions; None: it did not."""
    for version in versions:
        outcome = await stored.answered(removal(who, what, version))
        if outcome is not None:
            return outcome.answer
    return None
