"""Dead letters for ops: listed, sent again once what stood in their way is mended, or let go."""

from __future__ import annotations

from contracts.codes import Role
from contracts.dead_letters import DeadLetter, DeadLetterPage, DeadLetterQuery
from contracts.instants import to_instant
from dispatcher.domain.refusals import NotFound, WrongState
from dispatcher.security.principal import Principal
from dispatcher.service.acts import Acts
from dispatcher.service.markets import Markets
from dispatcher.store.dead_letters import DeadLetterPart, Letter

OPS = frozenset({Role.OPS})


class DeadLetters:
    """They raise NotFound (market, letter), WrongState (its entry is gone), Unavailable."""

    def __init__(self, markets: Markets, acts: Acts) -> None:
        self.markets, self.acts = markets, acts

    async def page(self, who: Principal, market: str, query: DeadLetterQuery) -> DeadLetterPage:
        """The newest first, each with whether its entry still stands."""
        part = self._part(who, market)
        letters, cursor = await part.page(query.cursor, query.limit)
        kept, prefix = await part.entries(letters), part.keys.prefix
        shown = tuple(
            DeadLetter(
                id=each.id,
                at=to_instant(each.at_ms),
                stream=each.stream.removeprefix(prefix),
                entry_id=each.entry_id,
                reason=each.reason,
                kept=each.id in kept,
            )
            for each in letters
        )
        return DeadLetterPage(letters=shown, cursor=cursor)

    async def send_again(self, who: Principal, market: str, letter_id: str) -> None:
        """Its entry goes to the end of its writer's stream; pressed twice, once."""
        part = self._part(who, market)
        letter = await self._found(part, letter_id)
        entry = (await part.entries([letter])).get(letter_id)
        if entry is None:
            raise WrongState(
                f"the entry {letter.entry_id} of dead letter {letter_id} is no longer kept\n"
                "Maybe ask its vendor to send it again, and let the letter go."
            )
        act = await self.acts.entry(
            who, market, "send_letter_again", "dead_letter", letter_id, detail=letter.reason
        )
        await part.send_again(letter, entry, act)

    async def forget(self, who: Principal, market: str, letter_id: str) -> None:
        """It is listed no more."""
        part = self._part(who, market)
        letter = await self._found(part, letter_id)
        act = await self.acts.entry(
            who, market, "forget_letter", "dead_letter", letter_id, detail=letter.reason
        )
        await part.forget(letter, act)

    def _part(self, who: Principal, market: str) -> DeadLetterPart:
        self.markets.authorize(who, market)
        if not who.may(OPS):
            raise NotFound("there are no dead letters\nMaybe they are for another role.")
        return self.markets.store(market).dead_letters

    async def _found(self, part: DeadLetterPart, letter_id: str) -> Letter:
        letter = await part.get(letter_id)
        if letter is None:
            raise NotFound(
                f"there is no dead letter {letter_id}\nMaybe it was sent again, or let go, before."
            )
        return letter
