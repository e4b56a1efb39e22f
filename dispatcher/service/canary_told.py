"""How a market's canary is told: to who looks at it, and by its event."""

from __future__ import annotations

from contracts.instants import DAY_MS, to_instant, to_ms
from contracts.tuning import Tuning
from contracts.tuning_canary import Canary, CanaryChanged, CanaryState, CanaryView, GuardrailFound
from dispatcher.domain.decision import Message
from dispatcher.domain.refusals import Unreadable
from dispatcher.store import events
from dispatcher.store.market import MarketStore
from dispatcher.store.program import Program
from dispatcher.tuning.registry import Registry


async def shown(
    stored: MarketStore,
    registry: Registry,
    version: int,
    canary: Canary,
    *,
    found: tuple[GuardrailFound, ...],
    now_ms: int,
) -> CanaryView:
    """A canary with what it has seen so far, as people look at it."""
    candidate, tuning = canary.candidate, await standing_tuning(stored)
    base = await stored.tuning.kept([canary.base])
    edges = [edge for span in canary.on for edge in span if edge > now_ms]
    goes_on = edges and canary.state is CanaryState.RUNNING
    return CanaryView(
        version=version,
        state=canary.state,
        decides_now=canary.decides(now_ms, tuning.version if tuning else 0),
        candidate=candidate.version,
        base=canary.base,
        by=candidate.by,
        reason=candidate.reason,
        what_if=candidate.what_if,
        mode=canary.mode,
        block_hours=canary.block_hours,
        pair_days=canary.pair_days,
        washout_hours=canary.washout_hours,
        at_once=canary.at_once,
        days=canary.days,
        days_over=max(0, min(canary.days, (now_ms - to_ms(canary.begins_at)) // DAY_MS)),
        started_at=canary.started_at,
        begins_at=canary.begins_at,
        ends_at=canary.ends_at,
        ended_at=canary.ended_at,
        why=canary.why,
        next_change_at=to_instant(edges[0]) if goes_on else None,
        changes=tuple(registry.changes(base[0].overrides, candidate.overrides)) if base else (),
        plan=canary.plan,
        found=found,
    )


async def standing_tuning(stored: MarketStore) -> Tuning | None:
    """The tuning that stands; None if it cannot be read."""
    try:
        return await stored.tuning.get()
    except Unreadable:
        return None


def announce(program: Program, stored: MarketStore, canary: Canary, guardrail: str) -> None:
    """Its event, in the commit that changes it; `guardrail`: which one was crossed, if any."""
    data = CanaryChanged(
        candidate=canary.candidate.version, base=canary.base, state=canary.state, guardrail=guardrail
    )
    subject = f"canary.{canary.candidate.version}"
    message = Message(type="dispatch.tuning.canary", subject=subject, data=data)
    name = events.event_id(f"{subject}.{canary.state.value}", canary.base, 0)
    at_ms = to_ms(canary.ended_at or canary.started_at)
    event = events.pack_event(stored.name, message, name, at_ms)
    program.write(stored.keys.events, "XADD", "*", events.FIELD, event)
