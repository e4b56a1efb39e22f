"""What a case manager does with authorizations; and what waits for one, freed by it."""

from __future__ import annotations

from msgspec.structs import replace

from contracts.authorizations import Authorization, AuthorizationState
from contracts.codes import RequestState, Requirement, Role
from dispatcher.domain.authorizations import (
    AUTHORIZATION,
    SWEEPS,
    USED_UP,
    AuthorizationRecord,
    lacking,
    moved_on,
    told,
)
from dispatcher.domain.authorizations import record_id as stored_as
from dispatcher.domain.commands.subjects import OnRequest
from dispatcher.domain.commands.table import REQUEST, Command, decides
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Change, Decision, Reliance
from dispatcher.domain.drawing import Known, is_sought
from dispatcher.domain.follow_authorization import held
from dispatcher.domain.messages import changed
from dispatcher.domain.needed import Needed, needed_now
from dispatcher.domain.refusals import Invalid, Stale, WrongState
from dispatcher.domain.requests import RequestRecord, moved

ISSUERS = frozenset({Role.CASE_MANAGER})
S = AuthorizationState


class OnAuthorization(Command, frozen=True, kw_only=True):
    """A command on an authorization."""

    authorization_id: str

    @property
    def subject(self) -> str:
        """Its record."""
        return stored_as(self.authorization_id)

    @property
    def named(self) -> str:
        """The authorization."""
        return f"authorization {self.authorization_id}"


class PutAuthorization(OnAuthorization, frozen=True, kw_only=True):
    """It is new, or is renewed: what is booked keeps what it drew. `patient`: tokens; none: as it was."""

    body: Authorization
    patient: tuple[str, ...]
    from_ms: int
    until_ms: int
    expected_version: int


class RevokeAuthorization(OnAuthorization, frozen=True, kw_only=True):
    """Nothing more is drawn, and what was to draw is on hold; what is booked keeps what it drew."""


class Unauthorize(OnRequest, frozen=True, kw_only=True):
    """An authorization that does not cover it (any more), for a request that was to draw on it.

    `is_another_s`: it is not that patient's (any more), nor does it name the request.
    """

    authorization: AuthorizationRecord
    is_another_s: bool = False


class Authorize(OnRequest, frozen=True, kw_only=True):
    """An authorization that covers it, for a request that waits for one."""

    authorization: AuthorizationRecord
    codes: tuple[str, ...] = ()  # HCPCS, where the request itself does not say


@decides(PutAuthorization, AUTHORIZATION, roles=ISSUERS, creates=True)
def put(record: AuthorizationRecord | None, command: PutAuthorization, context: Context) -> Decision | None:
    """As it is put; None when it stands so.

    Raises Stale, WrongState (it is revoked), Invalid (it would grant less than is used).
    """
    body = command.body
    fresh = AuthorizationRecord(
        id=command.subject,
        version=0,
        state=S.ACTIVE,
        number=body.number,
        payer=body.payer,
        services=tuple(map(str, body.services)),
        counted=body.counted,
        granted=body.granted,
        first_day=body.first_day.isoformat(),
        last_day=body.last_day.isoformat(),
        from_ms=command.from_ms,
        until_ms=command.until_ms,
        timer_ms=0,
        by=context.by,
        subject=context.subject,
        patient=command.patient,
        requests=body.requests,
    )
    if fresh.until_ms <= context.now_ms and (record is None or fresh.until_ms != record.until_ms):
        raise Invalid(
            f"{command.named} would have ended: its last_day {fresh.last_day} is over in this market\n"
            "Maybe the year is mistyped; to end one that is in force, revoke it."
        )
    if record is None:
        if command.expected_version:
            raise Stale(f"there is no {command.named}")
        after = moved_on(fresh, context, sweeps=SWEEPS, renewed=True)
        return Decision(
            changes=(Change(None, after),), messages=(told(after, "issued"),), at_ms=context.now_ms
        )
    return _renewed(record, fresh, command, context)


KEPT = (
    "id",
    "version",
    "timer_ms",
    "state",
    "used",
    "spent",
    "sweeps",
    "low",
    "last_request",
    "renewed",
    "by",
    "subject",
)


def _renewed(
    record: AuthorizationRecord, fresh: AuthorizationRecord, command: PutAuthorization, context: Context
) -> Decision | None:
    if record.state is S.REVOKED:
        raise WrongState(
            f"{command.named} is revoked\nMaybe issue another, under an id of its own.",
            state=record.state.value,
        )
    wanted = replace(fresh, patient=fresh.patient or record.patient)
    wanted = replace(wanted, **{name: getattr(record, name) for name in KEPT})
    if wanted == record:
        return None
    if command.expected_version != record.version:
        raise Stale(f"{command.named} is at version {record.version}\nMaybe read it again.")
    if wanted.granted < record.used:
        raise Invalid(
            f"{command.named} would grant {wanted.granted}, and {record.used} are used\n"
            "Maybe cancel what is booked on it first."
        )
    if wanted.counted is not record.counted and record.used:
        raise Invalid(f"{command.named} counts {record.counted}, and some are used\nMaybe issue another.")
    after = moved_on(wanted, context, sweeps=SWEEPS, renewed=True, by=context.by, subject=context.subject)
    return Decision(
        changes=(Change(record, after),), messages=(told(after, "renewed"),), at_ms=context.now_ms
    )


@decides(RevokeAuthorization, AUTHORIZATION, roles=ISSUERS)
def revoke(record: AuthorizationRecord, command: RevokeAuthorization, context: Context) -> Decision | None:
    """None when it is revoked already."""
    if record.state is S.REVOKED:
        return None
    after = moved_on(record, context, state=S.REVOKED, sweeps=SWEEPS, renewed=False)
    return Decision(
        changes=(Change(record, after),), messages=(told(after, "revoked"),), at_ms=context.now_ms
    )


@decides(Authorize, REQUEST)
def authorize(record: RequestRecord, command: Authorize, context: Context) -> Decision | None:
    """What it waits for is there, by the case manager who issued it; None where it does not cover this."""
    if record.state is not RequestState.ON_HOLD or Requirement.AUTHORIZATION not in record.requirements:
        return None
    issued = command.authorization
    asked = record.authorization or Needed(command.codes or (record.service_class,))
    asked = needed_now(asked, record.kind, record.service_class)
    is_another_s = issued.is_of_another(record.payer)
    if is_another_s or lacking(issued, asked, record.earliest_ms, record.latest_ms):
        return None
    left = tuple(each for each in record.requirements if each is not Requirement.AUTHORIZATION)
    code = Requirement.AUTHORIZATION.value
    state, code = (RequestState.ON_HOLD, f"{code}_lifted") if left else (RequestState.RECEIVED, code)
    issuer = replace(context, by=issued.by, subject=issued.subject)
    named = asked.named and asked.authorization == issued.name
    under = {"authorization": issued.name, "payer": issued.capped, "named": named}
    asked = replace(asked, waived=False, by_hand=False, lacks="", **under)
    after = moved(record, state, issuer, code, requirements=left, authorization=asked)
    return Decision(
        changes=(Change(record, after),),
        messages=(changed(after, issuer.by, code),),
        relies=(Reliance(AUTHORIZATION, issued.id, issued.version),),
        at_ms=context.now_ms,
    )


@decides(Unauthorize, REQUEST)
def unauthorize(record: RequestRecord, command: Unauthorize, context: Context) -> Decision | None:
    """On hold, its unanswered offers taken back: who took one would be refused. None where it is covered.

    That too little is left of it is for the acceptance to decide: that may be given back.
    """
    known, asked = command.authorization, record.authorization
    if asked is None or asked.authorization != known.name or not is_sought(record):
        return None
    asked = needed_now(asked, record.kind, record.service_class)
    covers = None if command.is_another_s else known
    why = lacking(covers, asked, record.earliest_ms, record.latest_ms)
    if why in ("", USED_UP):
        return None
    return held(record, why, Known(known, known), context)
