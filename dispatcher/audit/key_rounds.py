"""How far a rotation of patient keys is: pure, over the key file and what is stored of the markets.

Round 1: the new key is in every process's ring, and none seals under it. Round 2: it is current. In the end
what was sealed under the old one has been forgotten, and that one may go.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum

import msgspec

from contracts.instants import to_instant
from dispatcher.security.key_files import PatientKeyFile
from dispatcher.security.rings import Ring, prints_of
from dispatcher.store.sealed import Sealed
from dispatcher.store.survey import Survey


class Role(StrEnum):
    """What a key is for."""

    CURRENT = "current"
    NEXT = "next"
    OLD = "old"
    SPARE = "spare"  # in the key file, and nothing was ever sealed under it
    MISSING = "missing"  # in use, and not in the key file


class Step(StrEnum):
    """What may be done next."""

    ADD = "add a key"
    WAIT = "wait"
    PROMOTE = "make the next key current"
    REMOVE = "remove an old key"


class KeyStanding(msgspec.Struct, kw_only=True):
    """One key: which running processes lack it, which seal under it, and what is sealed under it."""

    id: str
    role: Role
    lacking: list[str]
    sealing: list[str]
    sealed: Sealed


class Standing(msgspec.Struct, kw_only=True):
    """All keys; what is wrong; what may be done next, and in words why."""

    processes: list[str]
    keys: list[KeyStanding]
    problems: list[str]
    step: Step
    why: list[str]

    def of_role(self, role: Role) -> list[KeyStanding]:
        """The keys of a role."""
        return [each for each in self.keys if each.role is role]


def standing(ring: PatientKeyFile, found: Sequence[Survey]) -> Standing:
    """How things stand. `found`: a survey of each market."""
    rings = [each for market in found for each in market.rings]
    processes = sorted({each.process for each in rings})
    keys = [_key(name, ring, rings, found) for name in _names(ring, found)]
    step, why = _step(keys, processes)
    return Standing(
        processes=processes, keys=keys, problems=list(_problems(ring, keys, found)), step=step, why=why
    )


def _names(ring: PatientKeyFile, found: Iterable[Survey]) -> list[str]:
    """Those of the file first, then what else is in use."""
    used = [each.id for market in found for each in sorted(market.patient_keys)]
    return list(dict.fromkeys([*ring.keys, *used, *(key for market in found for key in market.sealed)]))


def _key(name: str, ring: PatientKeyFile, rings: Iterable[Ring], found: Iterable[Survey]) -> KeyStanding:
    prints, sealed = prints_of(ring), Sealed()
    for market in found:
        sealed += market.sealed.get(name, Sealed())
    is_used = sealed.blocks > 0 or any(each.id == name for market in found for each in market.patient_keys)
    roles = {ring.current: Role.CURRENT, ring.next: Role.NEXT}
    return KeyStanding(
        id=name,
        role=roles.get(name, Role.OLD if is_used else Role.SPARE) if name in ring.keys else Role.MISSING,
        lacking=sorted({each.process for each in rings if each.keys.get(name) != prints.get(name)}),
        sealing=sorted({each.process for each in rings if each.sealing == name}),
        sealed=sealed,
    )


def _step(keys: Iterable[KeyStanding], processes: Sequence[str]) -> tuple[Step, list[str]]:
    by_role = {role: [each for each in keys if each.role is role] for role in Role}
    for key in by_role[Role.NEXT]:
        told = f"round 1: {_share(key.lacking, processes)} can read {key.id}"
        if key.lacking:
            return Step.WAIT, [f"{told}; wait for {', '.join(key.lacking)}"]
        return Step.PROMOTE, [f"{told}: done, make it current"]
    for key in by_role[Role.CURRENT]:
        late = [each for each in processes if each not in key.sealing]
        if late:
            told = f"round 2: {_share(late, processes)} seal under {key.id}"
            return Step.WAIT, [f"{told}; wait for {', '.join(late)}"]
    old = by_role[Role.OLD]
    why = [_needed(each) for each in old]
    why += [
        f"{each.id} has sealed nothing yet: name it `next` to rotate to it" for each in by_role[Role.SPARE]
    ]
    if any(not each.sealed.blocks for each in old):
        return Step.REMOVE, why
    return (Step.WAIT, why) if old else (Step.ADD, ["no rotation is under way", *why])


def _share(without: Sequence[str], processes: Sequence[str]) -> str:
    count = len(processes) - len(without)
    return f"{count} of {len(processes)} processes" if processes else "no process runs; those that start"


def _needed(key: KeyStanding) -> str:
    """How long an old key is needed."""
    if not key.sealed.blocks:
        return f"{key.id} seals nothing any more: it may be removed once vendors on Redis have new reply keys"
    words = key.sealed.comments + key.sealed.messages
    told = (
        f"{key.id} seals {key.sealed.open} open requests, {key.sealed.ended} that have ended and "
        f"{words} comments and messages still"
        + (f", and {key.sealed.proofs} proofs and pictures of proofs" if key.sealed.proofs else "")
        + (f", and {key.sealed.documents} documents of credentials" if key.sealed.documents else "")
        + "; it may be removed when they are forgotten"
    )
    if key.sealed.open or not key.sealed.until_ms:
        return told
    last = "of it" if key.sealed.proofs else "request"
    return f"{told}, the last {last} at {to_instant(key.sealed.until_ms):%Y-%m-%d %H:%M} UTC"


def _problems(ring: PatientKeyFile, keys: Iterable[KeyStanding], found: Iterable[Survey]) -> Iterable[str]:
    prints = prints_of(ring)
    for key in keys:
        if key.role is Role.MISSING:
            yield f"{key.id} is in use (it seals {key.sealed.blocks} blocks), and is not in the key file"
        elif any(
            each.id == key.id and each.print != prints[key.id] for m in found for each in m.patient_keys
        ):
            yield f"{key.id} of the key file is another key than the one of that name that is in use"
        elif key.lacking and (key.role is Role.CURRENT or key.sealed.blocks):
            yield f"{key.id} is not in the key ring of {', '.join(key.lacking)}"
