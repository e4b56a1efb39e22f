"""The matcher's part of a request's trace: its match, with the batch it came of, and the answer."""

from __future__ import annotations

from contracts.codes import Role
from dispatcher.domain.commands.accept import AcceptOffer
from dispatcher.matching.batch import run_batch
from dispatcher.matching.commits import Ownership
from dispatcher.matching.imminent import match_imminent
from dispatcher.matching.solving import SolverPool
from dispatcher.runtime import traces
from dispatcher.security.principal import Principal
from dispatcher.store.events import unpack_event
from tests.matching.conftest import Town
from tests.solvers.town import trip, vendor
from tests.traced import tracing


async def test_a_match_is_in_its_requests_trace_and_names_its_batch(
    town: Town, own: Ownership, solvers: SolverPool
) -> None:
    await town.add_vendor(vendor("v1"))
    with tracing() as spans:
        for name in ("r1", "r2"):
            with traces.span(name):
                await town.submit(trip(name, start_min=300))
        await run_batch(own, town.market, solvers)
    batch, calls = spans.named("batch"), [spans.named("r1"), spans.named("r2")]
    assert batch.attributes["dispatcher.requests"] == 2
    assert spans.named("solve").parent.span_id == batch.context.span_id
    made = [each for each in spans.finished if each.name == "MakeOffer"]
    assert {each.context.trace_id for each in made} == {each.context.trace_id for each in calls}
    assert {each.links[0].context.span_id for each in made} == {batch.context.span_id}
    assert {each.attributes["dispatcher.outcome"] for each in made} == {"ok"}


async def test_the_vendor_is_told_of_the_trace_and_its_answer_is_in_it(town: Town, own: Ownership) -> None:
    await town.add_vendor(vendor("v1"))
    with tracing() as spans:
        with traces.span("call"):
            await town.submit(trip("r1", start_min=30))
        await match_imminent(own, town.market, ["r1"])
        who = Principal.of(Role.VENDOR, subject="v1", vendor_id="v1", markets=frozenset({town.name}))
        await town.service.execute(who, town.name, AcceptOffer(offer_id="r1.1"))
    trace = spans.named("call").context.trace_id
    assert spans.named("imminent").context.trace_id != trace
    assert {spans.named(each).context.trace_id for each in ("MakeOffer", "AcceptOffer")} == {trace}
    ((_, fields),) = await town.store.reader.ask(
        "XRANGE", town.store.market(town.name).keys.stream("v1"), "-", "+", "COUNT", 1
    )
    assert unpack_event(fields[b"ce"]).traceparent[3:35] == f"{trace:032x}"
