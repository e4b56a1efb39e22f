"""A line of a statement is disputed once its request is forgotten; ops settles it by a correction.

As long as the request is there, `DisputePrice` and `SettlePrice` are the way.
"""

from __future__ import annotations

from datetime import date

from msgspec.structs import replace

from contracts.codes import Role
from contracts.prices import DisputeOutcome, PriceKind
from contracts.statements import StatementSettled
from contracts.tasks import MAX_COMMENTS, TaskKind, TaskOutcome, TaskState
from dispatcher.domain.commands.table import TASK, Command, decides
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Change, Decision, Message
from dispatcher.domain.prices import Line, settled_line
from dispatcher.domain.refusals import Invalid, NotFound, WrongState
from dispatcher.domain.rights import DISPUTERS
from dispatcher.domain.statement_disputes import ItemLine
from dispatcher.domain.statements import MONTHS, Billed, Item, kept_ms, local_day, negated
from dispatcher.domain.tasks import BY_ITSELF, TaskComment, TaskRecord, done, news, opened, reopened


class OnItemLine(Command, frozen=True, kw_only=True):
    """A command on a line of a statement, decided on its task. `item`: as it stands, on `day`: 2026-03-02."""

    about: ItemLine
    sealed: bytes  # the text of it, encrypted
    item: Item | None = None
    day: str = ""

    @property
    def subject(self) -> str:
        """The task."""
        return self.about.task_id

    @property
    def named(self) -> str:
        """The line."""
        where, about = f"of the statement of {self.about.vendor_id} for {self.about.month}", self.about
        return f"dispute of line {about.line} of item {about.item_id} {where}"

    @property
    def disputed(self) -> Line:
        """Raises NotFound without the item, Invalid for a line that it has not."""
        if self.item is None:
            raise NotFound(
                f"item {self.about.item_id} stands no more in the statement of {self.about.vendor_id} for "
                f"{self.about.month}\nMaybe the month is another, or is kept no more."
            )
        if not 0 < self.about.line <= len(self.item.lines):
            raise Invalid(
                f"item {self.about.item_id} has no line {self.about.line}, it has {len(self.item.lines)}\n"
                "Maybe read it again."
            )
        return self.item.lines[self.about.line - 1]


class DisputeItem(OnItemLine, frozen=True, kw_only=True):
    """The line is wrong; `sealed` says why."""


class SettleItem(OnItemLine, frozen=True, kw_only=True):
    """Its dispute is over: it costs `cents`, None: what it did. `reason` is for the audit.

    `correction`: what tells the item that corrects it from others of its dispatch.
    """

    correction: str
    reason: str
    cents: int | None = None

    @property
    def vendor_id(self) -> str:
        """Whose statement it is, for the audit."""
        return self.about.vendor_id


@decides(DisputeItem, TASK, roles=DISPUTERS, creates=True)
def dispute(task: TaskRecord | None, command: DisputeItem, context: Context) -> Decision:
    """Note it beside the item; ops has a task. The line stands until that is settled.

    Raises NotFound, Invalid as `disputed`; WrongState where it is disputed already, or the month is over.
    """
    line, about = command.disputed, command.about
    assert command.item is not None  # noqa: S101  (told by `disputed`)
    if task is not None and task.state is not TaskState.DONE:
        raise WrongState(
            f"line {about.line} of item {about.item_id} is disputed already\n"
            "Maybe wait until ops has settled it.",
            state=task.state.value,
        )
    left_ms = _kept_ms(date.fromisoformat(command.day), context)
    if left_ms <= 0:
        raise WrongState(f"the statement for {about.month} is kept no more\nMaybe speak with ops.")
    after = _with_word(_task(task, command, line, context), command.sealed, context)
    mark = Item(context.now_ms, command.item.start_ms, command.item.end, (Line(line.kind, line.cents),))
    return Decision(
        changes=(Change(task, after),),
        messages=(news(after, "opened", BY_ITSELF),),
        billed=(Billed(about.vendor_id, command.day, about.mark, mark, left_ms),),
        at_ms=context.now_ms,
    )


@decides(SettleItem, TASK, roles={Role.OPS})
def settle(task: TaskRecord, command: SettleItem, context: Context) -> Decision:
    """Add a correction of today, or none. What was written down stays as it is.

    Raises WrongState when it was settled before, NotFound, Invalid as `disputed` for another figure of a line
    that is there no more, Invalid for one below zero.
    """
    if task.state is TaskState.DONE:
        raise WrongState(f"{command.named} was settled\nMaybe dispute the line anew.", state=task.state.value)
    lines = () if command.cents is None else _corrected(command)
    ended = done(task, context, TaskOutcome.SETTLED)
    after = _with_word(ended, command.sealed, context) if len(task.comments) < MAX_COMMENTS else ended
    return Decision(
        changes=(Change(task, after),),
        messages=(news(after, "done", BY_ITSELF), _told(command, lines)),
        billed=(*_unmarked(command), *_correction(command, lines, context)),
        at_ms=context.now_ms,
    )


def _task(task: TaskRecord | None, command: DisputeItem, line: Line, context: Context) -> TaskRecord:
    about = command.about
    made = opened(
        TaskKind.STATEMENT_DISPUTE,
        "",
        context,
        offer_id=about.offer_id,
        code=line.kind.value,
        since=about.since,
    )
    return replace(made, vendor=about.vendor_id) if task is None else reopened(task, made, context)


def _with_word(task: TaskRecord, sealed: bytes, context: Context) -> TaskRecord:
    """With what was said. Raises Invalid when the task has all it can hold."""
    if len(task.comments) >= MAX_COMMENTS:
        raise Invalid(f"task {task.id} has {MAX_COMMENTS} comments, the limit\nMaybe speak with ops.")
    word = TaskComment(context.now_ms, context.subject or context.by, sealed)
    return replace(task, comments=(*task.comments, word))


def _corrected(command: SettleItem) -> tuple[Line, ...]:
    """The line taken back, and put anew. Raises as `disputed`, Invalid for a figure below zero."""
    line, cents = command.disputed, command.cents
    assert cents is not None  # noqa: S101  (told by the caller)
    if cents < 0 <= line.cents and line.kind is not PriceKind.TURN_BACK:
        raise Invalid(
            f"{line.kind.value} of item {command.about.item_id} cannot be {cents} cents\n"
            "Maybe the sign is wrong; 0 takes the line away."
        )
    return (negated(line), settled_line(line, cents, command.about.since)) if cents != line.cents else ()


def _unmarked(command: SettleItem) -> tuple[Billed, ...]:
    """What says that the line is disputed goes, unless it has gone with its month."""
    about = command.about
    return (Billed(about.vendor_id, command.day, about.mark, None),) if command.item is not None else ()


def _correction(command: SettleItem, lines: tuple[Line, ...], context: Context) -> tuple[Billed, ...]:
    if command.item is None or not lines:
        return ()
    today = local_day(context.now_ms, context.tz)
    name = f"{command.about.offer_id}.{command.correction}"
    item = replace(command.item, at_ms=context.now_ms, lines=lines)
    return (Billed(command.about.vendor_id, today.isoformat(), name, item, _kept_ms(today, context)),)


def _kept_ms(day: date, context: Context) -> int:
    return kept_ms(day, MONTHS.whole(context.values), context.now_ms, context.tz)


def _told(command: SettleItem, lines: tuple[Line, ...]) -> Message:
    about = command.about
    data = StatementSettled(
        offer_id=about.offer_id,
        item_id=about.item_id,
        line=about.line,
        outcome=DisputeOutcome.CHANGED if lines else DisputeOutcome.KEPT,
        cents=sum(each.cents for each in lines),
        href=f"vendors/{about.vendor_id}/statements/{about.month}",
    )
    name = "dispatch.statement.settled"
    return Message(type=name, subject=about.offer_id, data=data, vendor_id=about.vendor_id)
