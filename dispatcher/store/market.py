"""One market of the store: its parts over the same keys, and the commit of decisions."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from functools import cached_property
from types import MappingProxyType

from contracts.requests import Request
from contracts.tuning_canary import CanaryHeld
from contracts.tuning_parameters import Effects, Measuring
from contracts.tuning_profiles import Profiles, ProfileStanding
from contracts.tuning_sets import SavedSets
from contracts.tuning_shadow import ShadowFound, ShadowHeld
from dispatcher.domain.compact import Record
from dispatcher.domain.decision import Decision, Message
from dispatcher.domain.kinds import Kind, beside, kind_named, kind_of
from dispatcher.domain.request_kind import REQUEST_KIND
from dispatcher.runtime import traces
from dispatcher.store import changes, codec, events
from dispatcher.store.acceptance import AcceptancePart
from dispatcher.store.calls import CallsPart
from dispatcher.store.capacity import CapacityPart
from dispatcher.store.caps import CapPart
from dispatcher.store.credentials import CredentialPart
from dispatcher.store.dead_letters import DeadLetterPart
from dispatcher.store.decisions import DecisionPart
from dispatcher.store.documents import DocumentPart
from dispatcher.store.due_times import DueTimes
from dispatcher.store.fairness import FairnessPart
from dispatcher.store.figures import name_left_out
from dispatcher.store.idempotency import IdempotencyRecord
from dispatcher.store.keys import (
    CANARY,
    EFFECTS,
    MEASURING,
    PROFILES,
    SETS,
    SHADOW,
    SHADOW_FOUND,
    STANDING,
    Keys,
)
from dispatcher.store.lease import LeasePart
from dispatcher.store.losses import LossPart
from dispatcher.store.matchers import MatchersPart
from dispatcher.store.measures import MeasurePart
from dispatcher.store.node import Node
from dispatcher.store.outcome import Outcome, Status
from dispatcher.store.papers import PaperPart
from dispatcher.store.patterns import PatternPart
from dispatcher.store.program import Deferred, Program
from dispatcher.store.proofs import ProofPart
from dispatcher.store.pulse import PulsePart
from dispatcher.store.quarters import QuarterPart
from dispatcher.store.records import Name, R, Records
from dispatcher.store.reply_streams import MadeAnew, ReplyStreams
from dispatcher.store.requests import Reading, RequestPart
from dispatcher.store.retention import RetentionPart
from dispatcher.store.rings import RingPart
from dispatcher.store.scorecards import ScorecardPart
from dispatcher.store.seals import SealPart
from dispatcher.store.sending import SendingPart
from dispatcher.store.soon import Soon, soon
from dispatcher.store.standing_orders import StandingOrderPart
from dispatcher.store.statements import StatementPart
from dispatcher.store.tail import Wake
from dispatcher.store.tasks import TaskPart
from dispatcher.store.threads import ThreadPart
from dispatcher.store.troubles import TroublePart
from dispatcher.store.tuning import TuningPart
from dispatcher.store.vendors import VendorPart
from dispatcher.store.views import ViewPart
from dispatcher.store.webhooks import WebhookPart
from dispatcher.store.what_ifs import WhatIfPart


class MarketStore:
    """All that is stored of one market; each part binds the market's keys and the way to the server."""

    def __init__(self, node: Node, name: str) -> None:
        self.node, self.name, self.keys = node, name, Keys(name)
        self.requests = RequestPart(node, self.keys)
        self.tasks = TaskPart(node, self.keys)
        self.threads = ThreadPart(node, self.keys)
        self.proofs = ProofPart(node, self.keys)
        self.papers = PaperPart(node, self.keys)
        self.vendors = VendorPart(node, self.keys)
        self.standing_orders = StandingOrderPart(node, self.keys)
        self.capacity = CapacityPart(node, self.keys)
        self.quarters = QuarterPart(node, self.keys)
        self._open_tuning(node)
        self.views = ViewPart(node, self.keys)
        self.scorecards = ScorecardPart(node, self.keys)
        self.statements = StatementPart(node, self.keys)
        self.acceptance = AcceptancePart(node, self.keys)
        self.patterns = PatternPart(node, self.keys)
        self.calls = CallsPart(node, self.keys)
        self.fairness = FairnessPart(node, self.keys)
        self.caps = CapPart(node, self.keys)
        self.losses = LossPart(node, self.keys)
        self.dead_letters = DeadLetterPart(node, self.keys)
        self.due_times = DueTimes(node, self.keys)
        self.lease = LeasePart(node, self.keys)
        self.jobs_lease = LeasePart(node, self.keys, (self.keys.jobs_lease, self.keys.jobs_fence))
        self.matchers = MatchersPart(node, self.keys)
        self.sending = SendingPart(node, self.keys)
        self.rings = RingPart(node.reader, self.keys)
        self.pulse = PulsePart(node, self.keys)
        self.troubles = TroublePart(node, self.keys)
        self.what_ifs = WhatIfPart(node, self.keys)
        self.measures = MeasurePart(node, self.keys)
        self.decisions = DecisionPart(node, self.keys)
        self.seals = SealPart(node, self.keys)
        self.webhooks = WebhookPart(node, self.keys)
        self.credentials = CredentialPart(node, self.keys)

    def _open_tuning(self, node: Node) -> None:
        """What ops set, and try beside it."""
        self.tuning_shadow = DocumentPart(node, self.keys, SHADOW, codec.TUNING_SHADOW, ShadowHeld())
        self.tuning_shadow_found = DocumentPart(
            node, self.keys, SHADOW_FOUND, codec.TUNING_SHADOW_FOUND, ShadowFound()
        )
        self.tuning_effects = DocumentPart(node, self.keys, EFFECTS, codec.TUNING_EFFECTS, Effects())
        self.tuning_measuring = DocumentPart(node, self.keys, MEASURING, codec.TUNING_MEASURING, Measuring())
        self.tuning_canary = DocumentPart(node, self.keys, CANARY, codec.TUNING_CANARY, CanaryHeld())
        self.tuning = TuningPart(node, self.keys, self.tuning_canary)
        self.tuning_sets = DocumentPart(node, self.keys, SETS, codec.TUNING_SETS, SavedSets())
        self.tuning_profiles = DocumentPart(node, self.keys, PROFILES, codec.TUNING_PROFILES, Profiles())
        self.tuning_standing = DocumentPart(
            node, self.keys, STANDING, codec.TUNING_STANDING, ProfileStanding()
        )

    @cached_property
    def retention(self) -> RetentionPart:
        """What tidies up."""
        return RetentionPart(self.node, self.keys, self.capacity)

    def reply_streams(self, group: str, made_anew: MadeAnew) -> ReplyStreams:
        """What vendors reply on, as a consumer group reads it."""
        return ReplyStreams(self.node, self.keys, group, made_anew)

    def records(self, kind: Kind[R]) -> Records[R]:
        """The records of one kind."""
        return Records(self.node, self.keys, kind)

    async def soon(self, now_ms: int) -> Soon:
        """What falls due soon. Raises Unavailable; StoreError if a key is not ours."""
        return await soon(self.requests, self.node, self.keys, now_ms)

    @property
    def lineage(self) -> int:
        """See `Committer.lineage`."""
        return self.node.committer.lineage

    async def commit(
        self,
        decided: Sequence[Decision],
        *,
        requests: Sequence[Request] = (),
        idempotency: IdempotencyRecord | None = None,
        fence: str | None = None,
        since: int | None = None,
    ) -> Outcome:
        """Commit all decisions, or none. `requests` are those received now, with their patient blocks.

        `since`: the store's lineage when what was decided on was read (`Committer.lineage`).

        Raises Unavailable; script.BrokenLedger if records and ledger disagree.
        """

        def write(program: Program) -> None:
            if fence is not None:
                program.fence(self.keys.fence, fence)
            if idempotency is not None:
                program.remember(self.keys, idempotency)
            bodies = {each.id: self.requests.form.pack(each) for each in requests}
            changes.add_decisions(program, self.keys, decided, bodies)

        weight = sum(len(each.changes) for each in decided) + (fence is not None) + (idempotency is not None)
        program = Deferred(self.keys.fence, weight, write)
        with traces.part("commit", dispatcher__decisions=len(decided)) as span:
            outcome = await self.node.committer.commit(program, since=since)
            if traces.on():
                span.note(dispatcher__outcome=outcome.status.name.lower())
        if outcome.left_out:
            name_left_out(self.node.aside, self.keys, outcome.left_out)
        if outcome.status is Status.OK:
            self.quarters.note(decided)
        return outcome

    async def remember(self, idempotency: IdempotencyRecord) -> Outcome:
        """Keep that this command was given and changed nothing: its repetition changes nothing either."""
        program = Program()
        program.remember(self.keys, idempotency)
        return await self.node.committer.commit(program)

    async def answered(self, idempotency: IdempotencyRecord) -> Outcome | None:
        """How this command ended, if it is known: DUPLICATE or REUSED. Asked before any work is done."""
        raw = await self.node.reader.get(self.keys.command(idempotency.digest))
        return None if raw is None else idempotency.judge(raw)

    async def announce(self, message: Message, *, event_id: str, at_ms: int) -> None:
        """Append a message that goes with no change of state, once however often it is asked for."""
        program = Program()
        program.remember(self.keys, IdempotencyRecord.of("announce", event_id, b""))
        event = events.pack_event(self.name, message, event_id, at_ms)
        program.write(events.stream_of(self.keys, message), "XADD", "*", events.FIELD, event)
        await self.node.committer.commit(program)

    async def read(self, request_id: str, likely: Sequence[Name] = ()) -> Reading:
        """A request's record, its body, and records that may stand beside it: of one moment.

        Raises Unreadable for the record; what else cannot be read is not there.
        """
        parts = [self.records(kind_named(kind)) for kind, _ in likely]
        keys = [self.keys.record(REQUEST_KIND, request_id), self.keys.body(REQUEST_KIND, request_id)]
        keys += [self.keys.record(each.kind, name) for each, (_, name) in zip(parts, likely, strict=True)]
        record, body, *found = await self.node.reader.get_all(keys)
        also = {
            name: part.readable(name[1], raw) for part, name, raw in zip(parts, likely, found, strict=True)
        }
        return Reading(self.requests.records.read(request_id, record) if record else None, body or b"", also)

    async def related(
        self, record: Record, read: Mapping[Name, Record | None] = MappingProxyType({})
    ) -> Mapping[str, Record]:
        """The records beside this one that a decision on it reads, by id, as far as they can be read.

        And those beside these: a decision may change a request's successor, and what follows has its tasks.
        `read`: what was read already.
        """
        found, last, asked = dict[str, Record](), [record], {(kind_of(record).name, record.id)}
        for _ in range(kind_of(record).rounds(record)):
            names = dict.fromkeys(each for one in last for each in kind_of(one).related(one))
            wanted = [each for each in names if each not in asked]
            if not wanted:
                break
            asked |= names.keys()
            last = await self._records_of([each for each in wanted if each not in read])
            last += filter(None, (read.get(each) for each in wanted))
            found |= {beside(each): each for each in last}
        return found

    async def farther(self, decision: Decision, known: Collection[str]) -> Mapping[str, Record]:
        """The records beside those that follow in a decision, apart from `known` and from its own.

        Beside the first, which it is about, nothing new is looked for: `related` has it.
        """
        own = {beside(each.record) for each in decision.changes}
        before = [each.before for each in decision.changes[1:] if each.before is not None]
        names = dict.fromkeys(each for one in before for each in kind_of(one).related(one))
        called = {each: kind_named(each[0]).named_beside(each[1]) for each in names}
        wanted = [each for each, name in called.items() if name not in known and name not in own]
        return {beside(each): each for each in await self._records_of(wanted)} if wanted else {}

    async def _records_of(self, names: Sequence[tuple[str, str]]) -> list[Record]:
        """Records by kind and id, as far as they can be read."""
        if not names:
            return []
        of = [(self.records(kind_named(kind)), name) for kind, name in names]
        raws = await self.node.reader.get_all([self.keys.record(each.kind, name) for each, name in of])
        found = [each.readable(name, raw) for (each, name), raw in zip(of, raws, strict=True)]
        return [each for each in found if each is not None]  # without the others the decision goes on

    @contextlib.asynccontextmanager
    async def wake(self) -> AsyncIterator[Wake]:
        """Hints that the market has new work, from now on."""
        wake = Wake(self.node.servers, self.keys.wake)
        try:
            await wake.open()
            yield wake
        finally:
            await wake.aclose()
