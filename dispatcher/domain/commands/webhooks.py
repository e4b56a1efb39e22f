"""Webhooks: made, changed, enabled, disabled, given another secret, told to begin elsewhere."""

from __future__ import annotations

from contracts.codes import Role
from contracts.instants import HOUR_MS
from contracts.webhooks import WebhookForm, WebhookState
from dispatcher.domain.commands.table import Command, decides
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Change, Decision
from dispatcher.domain.refusals import WrongState
from dispatcher.domain.webhooks import (
    ALL,
    AWAKE_MS,
    MOST_AGAIN,
    MOST_SECRETS,
    MOST_TESTS,
    WEBHOOK_KIND,
    Secret,
    WebhookRecord,
    changed,
    has_task,
    kept_url,
    step,
    with_task,
    without_task,
)

ROLES = frozenset({Role.VENDOR, Role.PLATFORM, Role.OPS})
KIND = WEBHOOK_KIND.name
S = WebhookState
GONE, BY_HAND = "gone", "by_hand"


class OnWebhook(Command, frozen=True, kw_only=True):
    """A command on a webhook."""

    webhook_id: str

    @property
    def subject(self) -> str:
        """The webhook."""
        return self.webhook_id

    @property
    def named(self) -> str:
        """The webhook."""
        return f"webhook {self.webhook_id}"


class MakeWebhook(OnWebhook, frozen=True, kw_only=True):
    """It is new; from position `begin` on."""

    vendor_id: str
    url: str
    events: tuple[str, ...]
    description: str
    sealed: bytes
    begin: str
    form: WebhookForm = WebhookForm.CLOUD_EVENTS


class ChangeWebhook(OnWebhook, frozen=True, kw_only=True):
    """It is called elsewhere, or with other events, from now on."""

    url: str
    events: tuple[str, ...]
    description: str
    form: WebhookForm = WebhookForm.CLOUD_EVENTS


class EnableWebhook(OnWebhook, frozen=True, kw_only=True):
    """It is called again, and hears what was told meanwhile."""


class DisableWebhook(OnWebhook, frozen=True, kw_only=True):
    """It is not called."""


class RotateWebhookSecret(OnWebhook, frozen=True, kw_only=True):
    """Calls are signed with another secret; with the one before, too, for so long."""

    sealed: bytes
    overlap_hours: int


class ReplayFrom(OnWebhook, frozen=True, kw_only=True):
    """It is called once more with what followed a position."""

    begin: str


class SendDeadAgain(OnWebhook, frozen=True, kw_only=True):
    """Dead letters are sent once more; none named: all of them."""

    letters: tuple[str, ...] = ()


class TryWebhook(OnWebhook, frozen=True, kw_only=True):
    """It is called once with an event that says nothing, to see whether that is taken."""

    event_id: str


class RemoveWebhook(OnWebhook, frozen=True, kw_only=True):
    """It is gone, with what waits for it."""


class NoteWebhook(OnWebhook, frozen=True, kw_only=True):
    """How it does. `dead`: something became a dead letter; `well`: nothing is left that is one."""

    state: WebhookState
    code: str = ""
    dead: bool = False
    well: bool = False


class TookAgain(OnWebhook, frozen=True, kw_only=True):
    """Dead letters that were asked for stand where they are sent from."""

    letters: tuple[str, ...]


class Tried(OnWebhook, frozen=True, kw_only=True):
    """Test calls were made; the log says what became of them."""

    events: tuple[str, ...]


class SealSecretsAnew(OnWebhook, frozen=True, kw_only=True):
    """Its secrets are sealed under the key that is in use now; the same ones, in their order."""

    sealed: tuple[bytes, ...]


@decides(MakeWebhook, KIND, roles=ROLES, creates=True)
def make(hook: WebhookRecord | None, command: MakeWebhook, context: Context) -> Decision | None:
    """None when it is there: its id follows from the caller's key."""
    if hook is not None:
        return None
    made = WebhookRecord(
        id=command.webhook_id,
        version=1,
        vendor_id=command.vendor_id,
        url=kept_url(command.form, command.url),
        events=command.events,
        state=S.ACTIVE,
        created_ms=context.now_ms,
        timer_ms=context.now_ms + AWAKE_MS,
        secrets=(Secret(command.sealed),),
        begin=command.begin,
        description=command.description,
    )
    return Decision(changes=(Change(None, made),), at_ms=context.now_ms)


@decides(ChangeWebhook, KIND, roles=ROLES)
def change(hook: WebhookRecord, command: ChangeWebhook, context: Context) -> Decision | None:
    """None when it is so already."""
    wanted = {each: getattr(command, each) for each in ("events", "description")}
    wanted["url"] = kept_url(command.form, command.url)
    if all(getattr(hook, name) == value for name, value in wanted.items()):
        return None
    return step(hook, changed(hook, context, **wanted), context)


@decides(EnableWebhook, KIND, roles=ROLES)
def enable(hook: WebhookRecord, command: EnableWebhook, context: Context) -> Decision | None:
    """None when it is."""
    if hook.state is not S.DISABLED:
        return None
    code = "" if hook.code == BY_HAND else hook.code  # until it takes something: somebody sees to it
    return step(hook, changed(hook, context, state=S.ACTIVE, code=code), context)


@decides(DisableWebhook, KIND, roles=ROLES)
def disable(hook: WebhookRecord, command: DisableWebhook, context: Context) -> Decision | None:
    """None when it is; nobody needs to see to it then."""
    if hook.state is S.DISABLED:
        return None
    decision = step(hook, changed(hook, context, state=S.DISABLED, code=BY_HAND), context)
    return without_task(decision, hook, context)


@decides(RotateWebhookSecret, KIND, roles=ROLES)
def rotate(hook: WebhookRecord, command: RotateWebhookSecret, context: Context) -> Decision:
    """The one before signs, too, until its time is over; so does each from before that, as it was promised.

    Without an overlap none of them does. Raises WrongState: so many sign already.
    """
    if not command.overlap_hours:
        return step(hook, changed(hook, context, secrets=(Secret(command.sealed),)), context)
    current, *earlier = hook.secrets
    before = Secret(current.sealed, context.now_ms + command.overlap_hours * HOUR_MS)
    kept = [before, *(each for each in earlier if each.until_ms > context.now_ms)]
    if len(kept) >= MOST_SECRETS:
        raise WrongState(
            f"webhook {hook.id} was rotated {len(earlier)} times within the overlap already, and signs with "
            f"{len(hook.secrets)} secrets, the limit is {MOST_SECRETS}\n"
            "Maybe with overlap_hours 0: then the new one alone signs."
        )
    return step(hook, changed(hook, context, secrets=(Secret(command.sealed), *kept)), context)


@decides(ReplayFrom, KIND, roles=ROLES)
def replay(hook: WebhookRecord, command: ReplayFrom, context: Context) -> Decision:
    """From there on, whatever it has."""
    return step(hook, changed(hook, context, begin=command.begin, replays=hook.replays + 1), context)


@decides(SendDeadAgain, KIND, roles=ROLES)
def send_again(hook: WebhookRecord, command: SendDeadAgain, context: Context) -> Decision | None:
    """None when they are asked for already. Raises WrongState: it is disabled, or so many wait already."""
    _refuse_disabled(hook)
    asked = tuple(dict.fromkeys((*hook.again, *(command.letters or (ALL,)))))
    if len(asked) > MOST_AGAIN:
        raise WrongState(
            f"{len(hook.again)} dead letters of webhook {hook.id} are to be sent again already, "
            f"of {MOST_AGAIN}\nMaybe ask again in a second, or for all of them."
        )
    return None if asked == hook.again else step(hook, changed(hook, context, again=asked), context)


@decides(TryWebhook, KIND, roles=ROLES)
def try_it(hook: WebhookRecord, command: TryWebhook, context: Context) -> Decision | None:
    """None when that one is asked for already. Raises WrongState: it is disabled, or so many wait already."""
    _refuse_disabled(hook)
    if command.event_id in hook.tests:
        return None
    if len(hook.tests) >= MOST_TESTS:
        raise WrongState(
            f"{len(hook.tests)} test calls of webhook {hook.id} wait already, the limit is {MOST_TESTS}\n"
            "Maybe look at its deliveries: each is made within seconds while the service runs."
        )
    return step(hook, changed(hook, context, tests=(*hook.tests, command.event_id)), context)


@decides(RemoveWebhook, KIND, roles=ROLES)
def remove(hook: WebhookRecord, command: RemoveWebhook, context: Context) -> Decision:
    """Its task is nobody's any more."""
    decision = Decision(changes=(Change(hook, None),), at_ms=context.now_ms)
    return without_task(decision, hook, context)


@decides(NoteWebhook, KIND)
def note(hook: WebhookRecord, command: NoteWebhook, context: Context) -> Decision | None:
    """None when that is known. One that somebody disabled stays so."""
    if hook.state is S.DISABLED:
        return None
    is_needed = (command.dead or command.state is S.DISABLED) and not has_task(hook, context)
    is_over = command.well and command.state is S.ACTIVE and has_task(hook, context)
    if (hook.state, hook.code) == (command.state, command.code) and not (is_needed or is_over):
        return None
    decision = step(hook, changed(hook, context, state=command.state, code=command.code), context)
    if is_needed:
        return with_task(decision, hook, command.code, context)
    return without_task(decision, hook, context) if is_over else decision


@decides(TookAgain, KIND)
def took_again(hook: WebhookRecord, command: TookAgain, context: Context) -> Decision | None:
    """None when they are asked for no more."""
    left = tuple(each for each in hook.again if each not in command.letters)
    return None if left == hook.again else step(hook, changed(hook, context, again=left), context)


@decides(Tried, KIND)
def tried(hook: WebhookRecord, command: Tried, context: Context) -> Decision | None:
    """None when they are asked for no more."""
    left = tuple(each for each in hook.tests if each not in command.events)
    return None if left == hook.tests else step(hook, changed(hook, context, tests=left), context)


@decides(SealSecretsAnew, KIND)
def seal_anew(hook: WebhookRecord, command: SealSecretsAnew, context: Context) -> Decision:
    """The same secrets."""
    pairs = zip(command.sealed, hook.secrets, strict=True)
    secrets = tuple(Secret(sealed, each.until_ms) for sealed, each in pairs)
    return step(hook, changed(hook, context, secrets=secrets), context)


def _refuse_disabled(hook: WebhookRecord) -> None:
    if hook.state is S.DISABLED:
        raise WrongState(f"webhook {hook.id} is disabled: nothing is sent\nMaybe enable it first.")
