"""An episode as people see it: each request, the sequence as it stands, what is open, what happened."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from contracts.barriers import BarrierView, EpisodeBarrier
from contracts.episode_views import (
    EdgeView,
    EpisodeRequest,
    EpisodeStep,
    EpisodeView,
    NoteView,
)
from contracts.instants import MINUTE_MS, to_instant, to_ms
from contracts.tasks import TaskView
from contracts.tuning import Number
from dispatcher.domain.episodes import Episode, SealedNote, has_ended
from dispatcher.domain.links import Bounds, Link, bounds_of, span_of
from dispatcher.domain.requests import RequestRecord
from dispatcher.domain.risks import LATE, NO_VENDOR, OTHER_LATE, TOO_LATE
from dispatcher.domain.states import ASKS_BARRIER
from dispatcher.domain.views import request_view

Records = Mapping[str, RequestRecord]
ALWAYS_MS = 10**16
TIMELINE = 500  # lines that are shown, the newest


def shown(
    episode: Episode,
    known: Records,
    values: Mapping[str, Number],
    tasks: Sequence[TaskView],
    notes: Sequence[tuple[SealedNote, str]],
    *,
    barriers: Mapping[str, BarrierView | None],
) -> EpisodeView:
    """Everything about it; `known`: its requests, those it had, and what goes before them, as far as there.

    `barriers`: as they are shown, by request.
    """
    members = [known[each] for each in episode.requests if each in known]
    return EpisodeView(
        id=episode.id,
        version=episode.version,
        open=not has_ended(episode, known),
        opened_at=to_instant(episode.opened_ms),
        owners=episode.owners,
        bundle=episode.bundle,
        decide_by=to_instant(episode.decide_by_ms) if episode.decide_by_ms else None,
        requests=tuple(_request(each, known.get(each)) for each in episode.requests),
        sequence=tuple(_edge(each, link, known, values) for each in members for link in each.after),
        at_risk=tuple(each.id for each in members if each.risk),
        tasks=tuple(tasks),
        notes=tuple(NoteView(at=to_instant(note.at_ms), by=note.by, text=text) for note, text in notes),
        barriers=tuple(
            EpisodeBarrier(request_id=each.id, state=each.state, barrier=barriers.get(each.id))
            for each in members
            if each.state in ASKS_BARRIER
        ),
        timeline=tuple(sorted(_steps(episode, known), key=lambda each: each.at)[-TIMELINE:]),
    )


def _request(name: str, record: RequestRecord | None) -> EpisodeRequest:
    if record is None:
        return EpisodeRequest(id=name)
    view = request_view(record)
    waits_for = [each.value for each in record.requirements]
    waits_for += [each.request_id for each in record.after if not each.done_ms]
    return EpisodeRequest(
        id=name,
        state=record.state,
        kind=record.kind,
        owner=view.owner,
        status=record.status,
        earliest_at=to_instant(record.earliest_ms),
        latest_at=to_instant(record.latest_ms),
        match=view.match,
        unmatched=record.unmatched,
        waits_for=tuple(waits_for),
        at_risk=record.risk,
    )


def _edge(record: RequestRecord, link: Link, known: Records, values: Mapping[str, Number]) -> EdgeView:
    span = span_of(link, known.get(link.request_id), values)
    within = bounds_of(link, span) if span is not None else Bounds()
    stands = "done" if link.done_ms else link.broken or _risk(record, link, known, values) or "waiting"
    return EdgeView(
        before=link.request_id,
        after=record.id,
        kind=link.kind,
        least_lag_minutes=link.least_ms // MINUTE_MS,
        most_lag_minutes=None if link.most_ms is None else link.most_ms // MINUTE_MS,
        stands=stands,
        not_before=None if within.not_before_ms is None else to_instant(within.not_before_ms),
        not_after=None if within.not_after_ms is None else to_instant(within.not_after_ms),
    )


def _risk(record: RequestRecord, link: Link, known: Records, values: Mapping[str, Number]) -> str:
    """The risk of a request, at what it is at risk of: of several before it, one may be late alone."""
    if record.risk == OTHER_LATE:  # which is none of those before it
        return ""
    blamed = [each for each in record.after if _is_to_blame(record, each, known, values)]
    return record.risk if not blamed or link in blamed else ""


def _is_to_blame(record: RequestRecord, link: Link, known: Records, values: Mapping[str, Number]) -> bool:
    span, dispatch = span_of(link, known.get(link.request_id), values), record.dispatch
    if record.risk == NO_VENDOR:
        return span is None
    out_of_time = span is not None and dispatch and not bounds_of(link, span).hold(dispatch.start_ms)
    return record.risk in (LATE, TOO_LATE) and bool(out_of_time)


def gone(episode: Episode) -> list[str]:
    """Requests that belonged to it once."""
    return [each for each in _belonged_until_ms(episode) if each not in episode.requests]


def _belonged_until_ms(episode: Episode) -> dict[str, int]:
    """By request that belongs to it, or did: until when, as far as its history tells.

    The last step that names one that is not in it any more took it out.
    """
    found = dict.fromkeys(episode.requests, ALWAYS_MS)
    for step in episode.history:
        found |= dict.fromkeys(set(step.request_ids) - set(episode.requests), step.at_ms)
    return found


def _steps(episode: Episode, known: Records) -> Iterator[EpisodeStep]:
    for step in episode.history:
        yield EpisodeStep(
            at=to_instant(step.at_ms),
            what=step.what,
            request_id=step.request_ids[0] if len(step.request_ids) == 1 else "",
            by=step.by,
            subject=step.subject,
        )
    for name, until_ms in _belonged_until_ms(episode).items():
        steps = _of_request(known[name]) if name in known else ()
        yield from (each for each in steps if to_ms(each.at) <= until_ms)


def _of_request(record: RequestRecord) -> Iterator[EpisodeStep]:
    for each in record.history:
        yield EpisodeStep(
            at=to_instant(each.at_ms),
            what=each.state.value,
            request_id=record.id,
            code=each.code,
            by=each.by,
            subject=each.subject,
        )
    if record.barrier is not None:
        yield EpisodeStep(
            at=to_instant(record.barrier.at_ms),
            what="barrier",
            request_id=record.id,
            code=record.barrier.code.value,
            by=record.barrier.by,
            subject=record.barrier.subject,
        )
