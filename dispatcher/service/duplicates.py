"""What is asked for twice is refused; what is not, is filed under its patient in the same commit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from contracts.duplicates import Duplicate
from contracts.requests import Request
from dispatcher.domain.amendments import Filing
from dispatcher.domain.apart import Pair, nearest
from dispatcher.domain.compact import Record
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Decision
from dispatcher.domain.duplicates import Asked, Found, alike, counts, found
from dispatcher.domain.patients import PATIENT_KIND, PatientRecord, filed, gone_ms, indexed
from dispatcher.domain.refusals import Invalid, PossibleDuplicate
from dispatcher.domain.requests import RequestRecord
from dispatcher.security.blind_index import BlindIndex
from dispatcher.store.aside import Item
from dispatcher.store.store import Store

MOST = 1_000  # requests of one patient that count: more is a test's patient, not a hospital's
NAMED = 3  # so many pairs are told in words; all of them as facts

Tokens = tuple[str, ...]


class New(NamedTuple):
    """A request that came with a patient that can be told from others."""

    request: Request
    record: RequestRecord


class Checked(NamedTuple):
    """What files requests under their patients, and which rides of one patient might meet."""

    filed: Sequence[Decision] = ()
    near: Sequence[Pair] = ()


class Before(NamedTuple):
    """The record of a request that is amended: as it stands now, and as is wanted."""

    now: RequestRecord
    wanted: RequestRecord


class Duplicates:
    """Looks a patient up under every key of the ring, and files under every one."""

    def __init__(self, store: Store) -> None:
        self.store, self.index = store, BlindIndex(store.vault)

    async def checked(
        self,
        market: str,
        requests: Sequence[Request],
        received: Sequence[Decision],
        context: Context,
        *,
        unseen: bool = False,
    ) -> Checked:
        """What files these requests under their patients; nothing, and no look, where none names one.

        `received`: the decision of each request, and then those of others that change with them.
        `unseen`: the patients are taken to be new, which saves a look; if one is not, the commit is stale.
        Raises PossibleDuplicate, Invalid (more requests than a patient can have), Unreadable.
        """
        patients: dict[Tokens, list[New]] = {}
        for request, decision in zip(requests, received, strict=False):
            tokens = self.index.tokens(market, request.patient)
            if tokens:
                patients.setdefault(tokens, []).append(New(request, decision.after))
        if unseen and all(len(new) == 1 for new in patients.values()):  # nothing to compare them with
            first = [_first(token, new[0], context) for tokens, new in patients.items() for token in tokens]
            return Checked(first)
        compared, twice = await self._compared(market, patients, context, unseen=unseen)
        if twice and unseen:  # of one another: look for the others, too
            return await self.checked(market, requests, received, context)
        if twice:
            raise _refusal(twice)
        return compared

    async def _compared(
        self, market: str, patients: Mapping[Tokens, Sequence[New]], context: Context, *, unseen: bool
    ) -> tuple[Checked, list[Found]]:
        """With what each patient has, and with one another; and what may be asked for twice."""
        tokens_asked = [token for tokens in patients for token in tokens]
        known = {} if unseen or not patients else await self._known(market, tokens_asked)
        names = {each.request_id for record in known.values() for each in record.requests}
        records = await self.store.market(market).requests.records.get_all(sorted(names)) if names else {}
        twice: list[Found] = []
        decided: list[Decision] = []
        near: list[Pair] = []
        for tokens, new in patients.items():
            before = [known.get(token) for token in tokens] if known else [None] * len(tokens)
            standing = _standing(before, records) if records else {}
            twice += _twice(new, standing, context)
            decided += _decided(tokens, before, new, standing, context)
            near += _near(new, standing)
        return Checked(decided, near), twice

    async def amended(
        self, market: str, before: Request, after: Request, records: Before, context: Context
    ) -> tuple[Filing | None, dict[str, Record]]:
        """Where an amended request is filed, and is to be; those indexes, and what they name.

        Raises PossibleDuplicate for what it becomes that it was not, Invalid, Unreadable.
        """
        old, new = (self.index.tokens(market, each.patient) for each in (before, after))
        tokens = list(dict.fromkeys((*old, *new)))
        if not tokens:
            return None, {}
        known, entry = await self._known(market, tokens), filed(after)
        index = [known.get(token) for token in new]
        names = {each.request_id for one in index if one for each in one.requests} - {after.id}
        stored = await self.store.market(market).requests.records.get_all(sorted(names)) if names else {}
        others, was = _standing(index, stored), Asked(records.now, filed(before))
        is_same_patient = not set(old).isdisjoint(new)
        fresh = [
            each for each in others.values() if not (is_same_patient and alike(was, each, context.values))
        ]
        distinct = {after.id: after.not_duplicate_of}
        twice = found([Asked(records.wanted, entry)], fresh, distinct, context.values)
        if twice:
            raise _refusal(twice)
        _refuse_too_many(after.id, len(others) + 1)
        beside = {name: each.record for name, each in others.items()}
        return Filing(old, new, entry.rented, entry.bought), {**known, **beside}

    async def _known(self, market: str, tokens: Sequence[str]) -> dict[str, PatientRecord]:
        records, aside = self.store.market(market).records(PATIENT_KIND), self.store.aside.known(market)
        known = await records.get_all(tokens)
        for token in tokens:
            if token not in known and Item(PATIENT_KIND.name, token) in aside:
                await records.get(token)  # raises Unreadable: it cannot be written over
        return known


def _standing(before: Iterable[PatientRecord | None], records: dict[str, RequestRecord]) -> dict[str, Asked]:
    """What the patient has that counts, by id."""
    entries = {each.request_id: each for record in before if record for each in record.requests}
    return {
        name: Asked(records[name], each)
        for name, each in entries.items()
        if name in records and counts(records[name])
    }


def _near(new: Sequence[New], standing: dict[str, Asked]) -> list[Pair]:
    """Which of these rides might meet what their patient has, or one another."""
    if len(new) + len(standing) < 2:
        return []
    pairs: list[Pair] = []
    known = [each.record for each in standing.values()]
    for record in (each.record for each in new if each.record.id not in standing):
        pairs += [(record, other) for other in nearest(record, known)]
        known.append(record)
    return pairs


def _twice(new: Sequence[New], standing: dict[str, Asked], context: Context) -> list[Found]:
    """What is stored under its own id already is for the commit to settle."""
    if len(new) + len(standing) < 2:
        return []
    asked = [Asked(each.record, filed(each.request)) for each in new if each.record.id not in standing]
    distinct = {each.record.id: each.request.not_duplicate_of for each in new}
    return found(asked, tuple(standing.values()), distinct, context.values)


def _first(token: str, new: New, context: Context) -> Decision:
    """A patient that has nothing yet."""
    fresh, look_ms = (filed(new.request),), gone_ms(new.record, context)
    return indexed(None, token, fresh, (), context, look_ms=look_ms)


def _decided(
    tokens: Tokens,
    before: Sequence[PatientRecord | None],
    new: Sequence[New],
    standing: dict[str, Asked],
    context: Context,
) -> list[Decision]:
    """Under each of the patient's tokens."""
    kept = standing.keys() - {each.record.id for each in new} if standing else set()
    _refuse_too_many(new[0].record.id, len(kept) + len(new))
    fresh = [filed(each.request) for each in new]
    look_ms = min([gone_ms(each.record, context) for each in new])
    return [
        indexed(record, token, fresh, kept, context, look_ms=look_ms)
        for token, record in zip(tokens, before, strict=True)
    ]


def _refuse_too_many(name: str, count: int) -> None:
    if count > MOST:
        raise Invalid(
            f"the patient of request {name} would have {count} requests; {MOST} is the limit\n"
            "Maybe one record number stands for many patients.",
            request_id=name,
        )


def _refusal(twice: Sequence[Found]) -> PossibleDuplicate:
    others: dict[str, list[str]] = {}
    for pair in twice:
        others.setdefault(pair.asked, []).append(pair.other)
    told = ", ".join(f"{pair.asked} may be {pair.other}" for pair in twice[:NAMED])
    more = f", and {len(twice) - NAMED} more" if len(twice) > NAMED else ""
    return PossibleDuplicate(
        f"the same patient has the like at the same time: {told}{more}\n"
        "Maybe it was sent before; if it is meant all the same, name the other in not_duplicate_of.",
        duplicate_of=sorted({pair.other for pair in twice}),
        duplicates=[Duplicate(request_id=each, duplicate_of=tuple(named)) for each, named in others.items()],
    )
