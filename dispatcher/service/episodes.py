"""Episodes: arranged in one commit with all their requests, and read with everything about them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from msgspec.structs import replace

from contracts.episode_views import EpisodeQuery, EpisodeSubmission, EpisodeSummary, EpisodeView
from contracts.episodes import MAX_NOTES, Edge, EpisodeDraft
from contracts.instants import to_instant
from contracts.requests import Request
from dispatcher.domain.apart import kept_apart
from dispatcher.domain.arranging import Wanted, arranged, drafted, in_sequence, is_as_drafted
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Decision
from dispatcher.domain.episode_views import gone, shown
from dispatcher.domain.episodes import EPISODE_KIND, OPEN, Episode, SealedNote, changed
from dispatcher.domain.refusals import Invalid, Refusal, Stale, no_such
from dispatcher.domain.requests import RequestRecord
from dispatcher.security.principal import Principal
from dispatcher.service.barriers import Barriers
from dispatcher.service.duplicates import Checked
from dispatcher.service.execute import ATTEMPTS, already_applied, refuse_reuse, too_busy
from dispatcher.service.markets import Markets
from dispatcher.service.reach import with_all_beside
from dispatcher.service.repeats import refuse_repeats
from dispatcher.service.requests import Requests
from dispatcher.service.tasks import Tasks
from dispatcher.store.idempotency import IdempotencyRecord
from dispatcher.store.listing import Cursor
from dispatcher.store.market import MarketStore

FARTHEST = 512  # requests that are looked at for circles
Known = dict[str, RequestRecord]
Want = Callable[[Episode | None], tuple[Episode, Sequence[Edge]]]


class Episodes:
    """`requests` takes in what comes with an episode; `tasks` shows what is open, `barriers` what kept it."""

    def __init__(self, markets: Markets, requests: Requests, tasks: Tasks, barriers: Barriers) -> None:
        self.markets, self.requests, self.tasks, self.barriers = markets, requests, tasks, barriers

    async def put(
        self, who: Principal, market: str, name: str, draft: EpisodeDraft, expected_version: int | None
    ) -> int:
        """The episode as the draft has it; its new version, or that which it has. Raises Invalid, Stale."""

        def want(before: Episode | None) -> tuple[Episode, Sequence[Edge]]:
            version = before.version if before else 0
            if expected_version not in (None, version):
                raise Stale(f"episode {name} is at version {version}\nMaybe read it again.")
            context = self.requests.context(who, market, tuning)
            return drafted(before, name, draft, context), draft.sequence

        tuning = await self.markets.tuning(market)
        return (await self._arrange(who, market, name, want)).version

    async def submit(
        self, who: Principal, market: str, whole: EpisodeSubmission, key: IdempotencyRecord
    ) -> None:
        """An episode with all its requests in one commit. Raises as `Requests.submit` does.

        The same once more, under whatever key, is no change.
        """
        ids = tuple(each.id for each in whole.requests)
        refuse_repeats(ids)
        named = tuple(dict.fromkeys((*whole.episode.requests, *ids)))
        draft = replace(whole.episode, requests=named)
        tuning = await self.markets.tuning(market)

        def want(before: Episode | None) -> tuple[Episode, Sequence[Edge]]:
            if before is not None:
                raise Invalid(
                    f"episode {whole.id} is there already, and is another\n"
                    "Maybe read it, and add requests to it one by one."
                )
            return drafted(None, whole.id, draft, self.requests.context(who, market, tuning)), draft.sequence

        await self.requests.store.refuse_unless_durable(market)
        try:
            await self._arrange(who, market, whole.id, want, requests=whole.requests, key=key)
        except Invalid:
            if not await self._stands(market, whole, draft):
                raise

    async def add(self, who: Principal, market: str, name: str, request_id: str) -> None:
        """A stored request into the episode; nothing when it is there. Raises NotFound, Invalid."""

        def want(before: Episode | None) -> tuple[Episode, Sequence[Edge]]:
            episode = _there(before, name)
            return replace(episode, requests=tuple(dict.fromkeys((*episode.requests, request_id)))), ()

        await self._arrange(who, market, name, want)

    async def remove(self, who: Principal, market: str, name: str, request_id: str) -> None:
        """A request out of the episode; what it goes after and before stands. Raises NotFound."""

        def want(before: Episode | None) -> tuple[Episode, Sequence[Edge]]:
            episode = _there(before, name)
            return replace(
                episode, requests=tuple(each for each in episode.requests if each != request_id)
            ), ()

        await self._arrange(who, market, name, want)

    async def note(
        self, who: Principal, market: str, name: str, text: str, key: IdempotencyRecord | None
    ) -> None:
        """A word on the episode, sealed before anything else sees it. Raises NotFound, Invalid."""
        self.markets.authorize_requests(who, market)
        stored, context = (
            self.markets.store(market),
            self.requests.context(who, market, await self.markets.tuning(market)),
        )
        sealed = stored.tasks.seal(f"episode.{name}", text)
        for _ in range(ATTEMPTS):
            episode = _there(await stored.records(EPISODE_KIND).get(name), name)
            if len(episode.notes) >= MAX_NOTES:
                raise Invalid(f"episode {name} has {MAX_NOTES} notes, the limit\nMaybe speak.")
            note = SealedNote(context.now_ms, who.subject or who.name, sealed)
            change, news = changed(episode, replace(episode, notes=(*episode.notes, note)), "noted", context)
            decision = Decision(changes=(change,), messages=(news,), at_ms=context.now_ms)
            outcome = await stored.commit([decision], idempotency=key)
            refuse_reuse(outcome)
            if outcome.ok:
                return
        raise too_busy(f"episode {name}")

    async def view(self, who: Principal, market: str, name: str) -> EpisodeView:
        """Everything about an episode. Raises NotFound."""
        self.markets.authorize_requests(who, market)
        stored = self.markets.store(market)
        episode = _there(await stored.records(EPISODE_KIND).get(name), name)
        known = await stored.requests.records.get_all(episode.requests)
        others = await self._with_others(market, known)
        names = [task for each in known.values() for task in each.tasks]
        tasks = await stored.tasks.records.get_all(names) if names else {}
        values = (await self.markets.tuning(market)).values
        notes = [(each, stored.tasks.open(f"episode.{name}", each.sealed)) for each in episode.notes]
        views = [self.tasks.shown(market, each) for each in tasks.values() if each.outcome is None]
        barriers = {name: self.barriers.shown(market, each) for name, each in known.items()}
        left = await stored.requests.records.get_all(gone(episode))
        return shown(episode, others | left, values, views, notes, barriers=barriers)

    async def page(
        self, who: Principal, market: str, query: EpisodeQuery
    ) -> tuple[list[EpisodeSummary], str | None]:
        """Open episodes, the oldest first. Raises Invalid for a strange cursor."""
        self.markets.authorize_requests(who, market)
        records = self.markets.store(market).records(EPISODE_KIND)
        found, cursor = await records.page([OPEN], Cursor.parse(query.cursor or None), query.limit)
        return [
            EpisodeSummary(
                id=each.id,
                version=each.version,
                opened_at=to_instant(each.opened_ms),
                owners=each.owners,
                requests=each.requests,
            )
            for each in found
        ], cursor

    async def version(self, who: Principal, market: str, name: str) -> int:
        """That which it has. Raises NotFound."""
        self.markets.authorize_requests(who, market)
        return _there(await self.markets.store(market).records(EPISODE_KIND).get(name), name).version

    async def _arrange(
        self,
        who: Principal,
        market: str,
        name: str,
        want: Want,
        *,
        requests: Sequence[Request] = (),
        key: IdempotencyRecord | None = None,
    ) -> Episode:
        """The episode as it is wanted, once: loaded, decided, committed; and again where something moved."""
        self.markets.authorize_requests(who, market)
        stored, tuning = self.markets.store(market), await self.markets.tuning(market)
        for attempt in range(ATTEMPTS):
            before = await stored.records(EPISODE_KIND).get(name)
            context = self.requests.context(who, market, tuning)
            try:
                decision, checked = await self._decided(
                    stored, before, want, requests, context, unseen=not attempt
                )
            except Refusal:
                if await already_applied(stored, key):
                    return _there(before, name)
                raise
            if decision is None:
                return _there(before, name)
            decided = [*kept_apart([decision], checked.near, context), *checked.filed]
            outcome = await stored.commit(decided, requests=requests, idempotency=key)
            refuse_reuse(outcome)
            if outcome.ok:
                found: Episode = decision.after
                return found
            if requests and outcome.stale_id in {each.id for each in requests}:
                await self._refuse_stored(market, requests)
        raise too_busy(f"episode {name}")

    async def _decided(
        self,
        stored: MarketStore,
        before: Episode | None,
        want: Want,
        requests: Sequence[Request],
        context: Context,
        *,
        unseen: bool,
    ) -> tuple[Decision | None, Checked]:
        """The change that is wanted, if it is one, and where its new requests are filed. Raises Refusal."""
        market, (after, edges) = stored.name, want(before)
        receipts = await self.requests.receipts(market, requests, context)
        known = await self._known(market, before, after, edges, receipts)
        await self.requests.refuse_odd_legs(market, requests, receipts, known, context)
        was = before.requests if before else ()
        came = [each for each in after.requests if each not in was and each in known]
        await self.requests.patients.refuse_several(market, after.id, requests, came, was)
        wanted = Wanted(after, edges, receipts)
        decision = await with_all_beside(
            stored, replace(context, related=known), partial(arranged, before, wanted, known)
        )
        checked = await self.requests.duplicates.checked(
            market, requests, in_sequence(receipts, decision), context, unseen=unseen
        )
        return decision, checked

    async def _stands(self, market: str, whole: EpisodeSubmission, draft: EpisodeDraft) -> bool:
        """Whether all of it is stored just so. Raises Reused for a request with another body."""
        stored = self.markets.store(market)
        before = await stored.records(EPISODE_KIND).get(whole.id)
        if before is None or await self.requests.repeats.missing(market, whole.requests):
            return False
        records = await stored.requests.records.get_all(before.requests)
        return is_as_drafted(before, draft, records)

    async def _refuse_stored(self, market: str, requests: Sequence[Request]) -> None:
        left = await self.requests.repeats.missing(market, requests)  # raises Reused for another body
        there = sorted({each.id for each in requests} - {each.id for each in left})
        if there:
            raise Invalid(
                f"request {there[0]} is stored already\nMaybe name it in `episode.requests` instead.",
                request_ids=there,
            )

    async def _known(
        self,
        market: str,
        before: Episode | None,
        after: Episode,
        edges: Sequence[Edge],
        receipts: Sequence[Decision],
    ) -> Known:
        """All requests that it is about, and what goes before them, however far back."""
        new = {each.after.id for each in receipts}
        names = {*after.requests, *(before.requests if before else ())}
        names |= {link.request_id for each in receipts for link in each.after.after}
        names |= {name for edge in edges for name in (edge.before, edge.after)}
        found = await self.markets.store(market).requests.records.get_all(sorted(names - new))
        return await self._with_before(market, found)

    async def _with_before(self, market: str, found: Known) -> Known:
        last = found
        while last and len(found) < FARTHEST:
            names = {link.request_id for each in last.values() for link in each.after if link.waits}
            missing = sorted(names - found.keys())
            last = await self.markets.store(market).requests.records.get_all(missing) if missing else {}
            found = found | last
        if len(found) >= FARTHEST:
            raise Invalid(
                f"{FARTHEST} requests or more go before those of the episode, one after the other\n"
                "Maybe let some of them go."
            )
        return found

    async def _with_others(self, market: str, known: Known) -> Known:
        """With what goes before them, as it is told."""
        names = {link.request_id for each in known.values() for link in each.after}
        missing = sorted(names - known.keys())
        others = await self.markets.store(market).requests.records.get_all(missing) if missing else {}
        return known | others


def _there(episode: Episode | None, name: str) -> Episode:
    if episode is None:
        raise no_such(f"episode {name}")
    return episode
