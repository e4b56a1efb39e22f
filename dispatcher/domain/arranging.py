"""What belongs to an episode and in which order: one decision about it and all its requests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, NoReturn

from msgspec.structs import replace

from contracts.episodes import MAX_AFTER, MAX_REQUESTS, Edge, EpisodeDraft
from contracts.instants import to_instant, to_ms
from dispatcher.domain.commands.table import with_follow_ups
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Change, Decision
from dispatcher.domain.episodes import Episode, changed
from dispatcher.domain.joining import known_before, refuse_circle, refuse_out_of_time, with_before
from dispatcher.domain.links import Link, link_of, resolved
from dispatcher.domain.refusals import Invalid
from dispatcher.domain.requests import RequestRecord, noted
from dispatcher.domain.states import TERMINAL

Records = Mapping[str, RequestRecord]
PUT, ADDED, REMOVED = "put", "added", "removed"


def drafted(episode: Episode | None, name: str, draft: EpisodeDraft, context: Context) -> Episode:
    """The episode as a draft has it, its requests among them. Raises Invalid: it is decided by the past."""
    base = episode or Episode(name, 1, context.now_ms, 0)
    decide_by_ms = to_ms(draft.decide_by) if draft.decide_by else 0
    if 0 < decide_by_ms <= context.now_ms and decide_by_ms != base.decide_by_ms:
        raise Invalid(
            f"episode {name} is all or none until {to_instant(decide_by_ms).isoformat()}, and it is "
            f"{to_instant(context.now_ms).isoformat()}\nMaybe decide_by has a wrong day or time zone."
        )
    return replace(
        base,
        requests=draft.requests,
        owners=draft.owners,
        bundle=draft.bundle,
        decide_by_ms=decide_by_ms,
    )


def is_as_drafted(episode: Episode, draft: EpisodeDraft, records: Records) -> bool:
    """Whether it has all that the draft says; more may have come to it."""
    decide_by_ms = to_ms(draft.decide_by) if draft.decide_by else 0
    links = {(link.request_id, name) for name, each in records.items() for link in each.after}
    return (
        (episode.owners, episode.bundle, episode.decide_by_ms) == (draft.owners, draft.bundle, decide_by_ms)
        and set(draft.requests) <= set(episode.requests)
        and all((each.before, each.after) in links for each in draft.sequence)
    )


class Wanted(NamedTuple):
    """An episode as it is to be: `after`, in what sequence, with which new requests (their receipts)."""

    after: Episode
    edges: Sequence[Edge] = ()
    taken_in: Sequence[Decision] = ()


def arranged(before: Episode | None, wanted: Wanted, known: Records, context: Context) -> Decision | None:
    """The change of an episode; None when it stands so already.

    `known`: its requests, those that were in it, and whatever goes before any of them. Raises Invalid, with
    names, for a request that is not there, is another episode's, has ended, or would go after another in a
    circle or out of time, and for too many.
    """
    after, edges, taken_in = wanted
    new = {each.after.id: each.after for each in taken_in}
    after = replace(after, requests=tuple(dict.fromkeys((*after.requests, *new))))
    _refuse_too_many(after)
    was = before.requests if before else ()
    came = tuple(each for each in after.requests if each not in was)
    went = tuple(each for each in was if each not in after.requests)
    now = {**known, **new}
    _join(now, after, came, went)
    for each in new.values():
        for link in each.after:
            refuse_out_of_time(each, link, known_before(each.id, link, now))
    _link(now, after, edges)
    _tell(now)
    moved = {name: each for name, each in now.items() if name in new or each != known.get(name)}
    if before is not None and not moved and before == after:
        return None
    what = PUT if before is None or (came and went) or not (came or went) else ADDED if came else REMOVED
    change, news = changed(before, after, what, context, (*came, *went))
    stored = [
        Change(known[name], _noted(known[name], each, context))
        for name, each in moved.items()
        if name not in new
    ]
    fresh = [Change(None, moved[name]) for name in new]
    messages = (news, *(message for each in taken_in for message in each.messages))
    decision = Decision(changes=(change, *fresh, *stored), messages=messages, at_ms=context.now_ms)
    return with_follow_ups(decision, replace(context, related={**context.related, **known, **new}))


def in_sequence(receipts: Sequence[Decision], decision: Decision | None) -> list[Decision]:
    """Requests that are received as their episode has them: after what goes before them."""
    now = {each.record.id: each.after for each in decision.changes} if decision else {}
    return [
        Decision(changes=(Change(None, now.get(each.after.id, each.after)),), at_ms=each.at_ms)
        for each in receipts
    ]


def entered(episode: Episode | None, name: str, ids: tuple[str, ...], context: Context) -> Decision:
    """An episode with new requests that name it. Raises Invalid where it is not there, or has too many."""
    if episode is None:
        raise Invalid(
            f"request {ids[0]} names episode {name}, which is not there\n"
            "Maybe put it first, or submit both in one call.",
            request_ids=list(ids),
        )
    if episode.decide_by_ms:
        raise Invalid(
            f"request {ids[0]} names episode {name}, which is all or none\n"
            "Maybe submit it by itself, and add it to the episode then.",
            request_ids=list(ids),
        )
    after = replace(episode, requests=tuple(dict.fromkeys((*episode.requests, *ids))))
    _refuse_too_many(after)
    change, news = changed(episode, after, ADDED, context, ids)
    return Decision(changes=(change,), messages=(news,), at_ms=context.now_ms)


def _refuse_too_many(episode: Episode) -> None:
    number = len(episode.requests)
    if number > MAX_REQUESTS:
        raise Invalid(
            f"episode {episode.id} would have {number} requests, at most {MAX_REQUESTS} may be in one\n"
            "Maybe make two of it."
        )


def _noted(before: RequestRecord, after: RequestRecord, context: Context) -> RequestRecord:
    """A request that stays in its state, one version on; what has ended keeps its timer."""
    if before.state in TERMINAL:
        return replace(after, version=before.version + 1)
    return noted(
        before,
        context,
        episode=after.episode,
        after=after.after,
        before=after.before,
        bundle_until_ms=after.bundle_until_ms,
    )


def _join(now: dict[str, RequestRecord], episode: Episode, came: Sequence[str], went: Sequence[str]) -> None:
    for name in came:
        record = now.get(name)
        if record is None:
            _refuse(episode, name, "is not there", "submit it first, or with the episode")
        if record.episode not in ("", episode.id):
            _refuse(episode, name, f"belongs to episode {record.episode}", "take it out of that first")
        if record.state in TERMINAL:
            _refuse(episode, name, f"is {record.state}", "leave it out")
        now[name] = replace(record, episode=episode.id)
    for name in went:
        record = now.get(name)
        if record is not None and record.state not in TERMINAL:
            now[name] = replace(record, episode="", bundle_until_ms=0)
    for name in episode.requests:
        record = now.get(name)
        if record is not None and record.state not in TERMINAL:
            now[name] = replace(record, bundle_until_ms=episode.decide_by_ms)


def _refuse(episode: Episode, name: str, reason: str, advice: str) -> NoReturn:
    raise Invalid(
        f"request {name} cannot be in episode {episode.id}: it {reason}\nMaybe {advice}.", request_ids=[name]
    )


def _link(now: dict[str, RequestRecord], episode: Episode, edges: Sequence[Edge]) -> None:
    """Each edge as the later request has it."""
    for edge in edges:
        for name in (edge.before, edge.after):
            if name not in episode.requests:
                _refuse(episode, name, "is named in its sequence and not among its requests", "add it")
        record, link = now[edge.after], link_of(edge.link)
        others = tuple(each for each in record.after if each.request_id != edge.before)
        old = next((each for each in record.after if each.request_id == edge.before), None)
        if old is not None and replace(old, done_ms=0, broken="") == link:
            continue
        if record.state in TERMINAL:
            _refuse(episode, edge.after, f"is {record.state}", "leave it out of the sequence")
        if len(others) >= MAX_AFTER:
            _refuse(episode, edge.after, f"would go after more than {MAX_AFTER}", "leave one out")
        refuse_out_of_time(record, link, now[edge.before])
        now[edge.after] = replace(record, after=(*others, link))
    if edges or any(each.after for each in now.values()):
        refuse_circle({name: [link.request_id for link in each.after] for name, each in now.items()})


def _tell(now: dict[str, RequestRecord]) -> None:
    """What goes before knows what goes after; what is done already is waited for no more."""
    for name, record in list(now.items()):
        if record.state in TERMINAL:
            continue
        links = tuple(_resolved(name, link, now) for link in record.after)
        now[name] = replace(now[name], after=links)
        for other in (now[link.request_id] for link in links if link.waits):
            if name not in other.before:
                now[other.id] = replace(other, before=with_before(other, [name]))


def _resolved(name: str, link: Link, now: Records) -> Link:
    return resolved(link, known_before(name, link, now)) if link.waits else link
