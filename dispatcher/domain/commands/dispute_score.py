"""An outcome on a scorecard is disputed by its vendor; ops says whether that is right."""

from __future__ import annotations

from msgspec.structs import replace

from contracts.codes import Role
from contracts.scorecards import Disputable, DisputeState, ScoreDisputeAnswered, ScoreDisputeChanged
from contracts.tasks import TaskKind, TaskOutcome, TaskState
from dispatcher.domain.commands.table import Command, decides
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Change, Decision, Message
from dispatcher.domain.refusals import NotFound, WrongState
from dispatcher.domain.score_disputes import (
    SCORE_DISPUTE_KIND,
    ScoreDisputeRecord,
    dispute_id,
    task_id,
    until_ms,
)
from dispatcher.domain.scorecards import Entry, Outcome, kept_for_ms, upheld
from dispatcher.domain.tasks import BY_ITSELF, TaskRecord, done, news, opened

S = DisputeState
KIND = SCORE_DISPUTE_KIND.name


class OnScoreDispute(Command, frozen=True, kw_only=True):
    """A command on a dispute."""

    dispute_id: str

    @property
    def subject(self) -> str:
        """The dispute."""
        return self.dispute_id

    @property
    def named(self) -> str:
        """The dispute."""
        return f"dispute {self.dispute_id}"


class DisputeScore(OnScoreDispute, frozen=True, kw_only=True):
    """The outcome is wrong; `sealed` says why. `entry`: the outcome as it counts; None: it does not."""

    offer_id: str
    outcome: Outcome
    sealed: bytes
    entry: Entry | None

    @classmethod
    def of(cls, offer_id: str, outcome: Outcome, sealed: bytes, entry: Entry | None) -> DisputeScore:
        """Of one outcome of an offer."""
        name = dispute_id(offer_id, outcome)
        return cls(dispute_id=name, offer_id=offer_id, outcome=outcome, sealed=sealed, entry=entry)


class AnswerDispute(OnScoreDispute, frozen=True, kw_only=True):
    """The vendor is right, or not; `sealed` is the reason."""

    vendor_id: str
    upheld: bool
    sealed: bytes

    @property
    def outcome(self) -> DisputeState:
        """What becomes of the dispute; the audit names it."""
        return S.UPHELD if self.upheld else S.NOT_UPHELD


@decides(DisputeScore, KIND, roles={Role.VENDOR}, creates=True)
def dispute(record: ScoreDisputeRecord | None, command: DisputeScore, context: Context) -> Decision:
    """Note it; ops has a task. The outcome counts until that is answered.

    Raises WrongState where it is disputed already, NotFound for an outcome that does not count.
    """
    name = f"outcome {command.outcome} of offer {command.offer_id}"
    if record is not None and record.vendor_id == context.vendor_id:
        raise WrongState(
            f"{name} is disputed already: {record.state}\nMaybe read what became of it: "
            f"GET …/vendors/{record.vendor_id}/scorecard/disputes.",
            state=record.state.value,
        )
    if command.entry is None or command.entry.upheld or record is not None:
        raise NotFound(
            f"there is no {name} on the scorecard of vendor {context.vendor_id}\n"
            "Maybe look there which there are: GET …/scorecard/requests?figure=…."
        )
    made = ScoreDisputeRecord(
        id=command.dispute_id,
        version=1,
        vendor_id=context.vendor_id,
        offer_id=command.offer_id,
        outcome=command.outcome,
        entry=command.entry,
        made_ms=context.now_ms,
        timer_ms=until_ms(context),
        sealed=command.sealed,
        by=context.by,
        subject=context.subject,
    )
    task = _task(made, context)
    return Decision(
        changes=(Change(None, made), Change(None, task)),
        messages=(_told(made, "disputed"), news(task, "opened", BY_ITSELF)),
        at_ms=context.now_ms,
    )


@decides(AnswerDispute, KIND, roles={Role.OPS})
def answer(record: ScoreDisputeRecord, command: AnswerDispute, context: Context) -> Decision | None:
    """Upheld, the outcome counts no more from now on; None when they answered it so before.

    Raises NotFound for another vendor's, WrongState when it was answered otherwise, or by somebody else:
    their reason is the one that the vendor reads.
    """
    if record.vendor_id != command.vendor_id:
        raise NotFound(f"vendor {command.vendor_id} has no dispute {record.id}\nMaybe another has.")
    state = command.outcome
    if record.state is not S.OPEN:
        if record.state is state and record.answered_by == (context.subject or context.by):
            return None
        raise WrongState(
            f"dispute {record.id} was answered by {record.answered_by}: {record.state}\n"
            "Maybe tell the vendor; it stays so.",
            state=record.state.value,
        )
    after = replace(
        record,
        version=record.version + 1,
        state=state,
        answered_ms=context.now_ms,
        answered_by=context.subject or context.by,
        reason=command.sealed,
        timer_ms=until_ms(context),
    )
    undone = _undone(record, context)
    ended = [(each, done(each, context, TaskOutcome.SETTLED)) for each in undone]
    kept_ms = kept_for_ms(record.entry.at_ms, context)
    less = replace(upheld(record.disputed), kept_ms=kept_ms)
    return Decision(
        changes=(Change(record, after), *(Change(*each) for each in ended)),
        messages=(
            _told(after, "answered"),
            _answered(after),
            *(news(each, "done", BY_ITSELF) for _, each in ended),
        ),
        outcomes=(less,) if state is S.UPHELD else (),
        at_ms=context.now_ms,
    )


def _task(made: ScoreDisputeRecord, context: Context) -> TaskRecord:
    request = made.offer_id.rpartition(".")[0]
    task = opened(TaskKind.SCORE_DISPUTE, request, context, offer_id=made.offer_id, since=made.outcome.value)
    return replace(task, request_id="", code=made.outcome.value, vendor=made.vendor_id)


def _undone(record: ScoreDisputeRecord, context: Context) -> list[TaskRecord]:
    task = context.related.get(task_id(record.offer_id, record.outcome))
    return [task] if isinstance(task, TaskRecord) and task.state is not TaskState.DONE else []


def _told(record: ScoreDisputeRecord, what: str) -> Message:
    data = ScoreDisputeChanged(
        dispute_id=record.id,
        vendor_id=record.vendor_id,
        offer_id=record.offer_id,
        outcome=Disputable(record.outcome.value),
        state=record.state,
    )
    return Message(type=f"dispatch.scorecard.{what}", subject=record.id, data=data)


def _answered(record: ScoreDisputeRecord) -> Message:
    data = ScoreDisputeAnswered(
        dispute_id=record.id,
        offer_id=record.offer_id,
        outcome=Disputable(record.outcome.value),
        state=record.state,
        href=f"vendors/{record.vendor_id}/scorecard/disputes",
    )
    name = "dispatch.dispute.answered"
    return Message(type=name, subject=record.id, data=data, vendor_id=record.vendor_id)
