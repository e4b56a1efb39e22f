"""Patient keys: look whether they are sound, how far a rotation is, or take its next safe step.

A rotation has two rounds, so that no process seals what another cannot open. `rotate` puts a new key into the
key file; every process reads it within seconds; `rotate` again makes it current; when nothing is sealed under
the old key any more, `rotate --remove ID` takes it out. On several machines copy the file to each after every
step: `status` says when all have it.
"""

from __future__ import annotations

import argparse
import asyncio
import secrets
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dispatcher.cli import OPERATE
from dispatcher.cli._named_store import add_store, settings_of
from dispatcher.runtime.arguments import number
from dispatcher.runtime.errors import UserError
from dispatcher.runtime.own_command import typed

if TYPE_CHECKING:
    from dispatcher.audit.key_rounds import Standing
    from dispatcher.domain.refusals import Unavailable
    from dispatcher.security.key_files import PatientKeyFile
    from dispatcher.settings import Settings
    from dispatcher.store.survey import Survey

NAME = "keys"
HELP = "check patient keys, or rotate them step by step"
GROUP = OPERATE
EXAMPLE = "dispatcher keys status"
ACTIONS = {
    "check": "whether they are sound",
    "status": "how far a rotation is",
    "rotate": "take its next safe step",
}
KEY_BYTES = 32
NOT_ALL = 3  # exit code: what there is to say is not all


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to do, and where."""
    said = "; ".join(f"{word}: {what}" for word, what in ACTIONS.items())
    parser.add_argument("action", choices=tuple(ACTIONS), metavar="|".join(ACTIONS), help=said)
    parser.add_argument(
        "--new", action="store_true", help="rotate: begin although an old key is still needed"
    )
    parser.add_argument(
        "--remove", metavar="ID", help="rotate: take out an old key that seals nothing any more"
    )
    parser.add_argument(
        "--forget", metavar="ID", help="rotate: a key is lost; do not wait for it (what it sealed stays shut)"
    )
    add_store(parser)
    parser.add_argument(
        "--timeout", type=number(0, 3_600), default=5.0, metavar="S", help="wait S for the store (5)"
    )
    parser.add_argument("--json", action="store_true", help="check, status: print JSON")


def run(args: argparse.Namespace) -> int:
    """Exit code 0: sound, or the step was taken; 1: something is wrong, or has to be waited for; 3: nothing
    is wrong of what can be known, and a market is away.
    """
    from dispatcher.audit.key_rounds import standing
    from dispatcher.security.key_files import read_patient_keys

    settings = settings_of(args)
    ring = read_patient_keys(settings.patient_keys_file)
    found, away = asyncio.run(_surveyed(settings, args.timeout))
    _refuse_unknown(found)
    now = standing(ring, found, away)
    if args.action == "rotate":
        return _rotate(settings, ring, now, args)
    print(_json(now) if args.json else "\n".join(_told(settings.patient_keys_file, now)))
    if args.action == "check" and now.problems:
        return 1
    return NOT_ALL if now.away else 0


async def _surveyed(settings: Settings, timeout_s: float) -> tuple[list[Survey], list[str]]:
    """What is stored of each market, and which markets are away. Raises UserError if none is there."""
    from dispatcher.domain.refusals import Unavailable
    from dispatcher.store.servers import CLUSTER_SCHEMES, servers_of
    from dispatcher.store.survey import survey

    url = _url(settings)
    found: list[Survey] = []
    away: list[str] = []
    servers = servers_of(url, timeout_s=timeout_s)
    try:
        for market in settings.markets:
            try:
                found.append(await survey(servers.reader, market))
            except Unavailable as error:
                away.append(market)
                if not url.startswith(CLUSTER_SCHEMES) or len(away) == len(settings.markets):
                    raise _unknown(error) from error
    finally:
        await servers.aclose()
    return found, away


def _unknown(error: Unavailable) -> UserError:
    return UserError(
        f"{error.detail.partition(chr(10))[0].rstrip('.')}: it knows which process can read which key.",
        "Maybe it is not running, or another: see --url and --data-dir.",
    )


def _refuse_unknown(found: Sequence[Survey]) -> None:
    """Raises UserError where it cannot be read who has which key: nobody must be taken for ready then."""
    from dispatcher.store.keys import Keys

    for each in found:
        keys = Keys(each.market)
        for name in (keys.rings, keys.patient_keys):
            if why := each.strange.get(name.removeprefix(keys.prefix)):
                raise UserError(
                    f"which process can read which key is not known: {name} {why}.",
                    "Maybe delete it and restart the service's processes one by one: they say it anew.",
                )


def _url(settings: Settings) -> str:
    from dispatcher.serve.embedded import EmbeddedRedis

    return settings.redis_url or EmbeddedRedis(settings.data_dir).url


def _rotate(settings: Settings, ring: PatientKeyFile, now: Standing, args: argparse.Namespace) -> int:
    """Take the step that is safe, or say why none is."""
    from msgspec.structs import replace

    from dispatcher.audit.key_rounds import Step

    if args.forget:
        return _forget(settings, ring, args.forget)
    if args.remove:
        return _remove(settings, ring, now, args.remove)
    if now.step is Step.PROMOTE:
        told = (
            f"round 2: {ring.next} is the current key; every process seals under it once all have read that"
        )
        return _written(settings, replace(ring, current=ring.next, next=""), told)
    if now.step is Step.ADD or (args.new and not ring.next):
        name = _new_name(ring)
        keys = ring.keys | {name: secrets.token_bytes(KEY_BYTES)}
        again = typed("keys rotate")
        told = f"round 1: {name} is in the key file; once every process has read it, `{again}`"
        return _written(settings, replace(ring, keys=keys, next=name), told)
    print("\n".join(["nothing was changed:", *now.why, *_hints(now)]))
    return 1


def _written(settings: Settings, ring: PatientKeyFile, told: str) -> int:
    from dispatcher.security.key_files import write_patient_keys

    write_patient_keys(settings.patient_keys_file, ring)
    status = typed("keys status")
    print(f"{told}\non several machines copy the file to each; `{status}` says when all have read it")
    return 0


def _new_name(ring: PatientKeyFile) -> str:
    """The day, and a number if there is a key of that day."""
    day = time.strftime("%Y-%m-%d", time.gmtime())
    names = (day, *(f"{day}-{number}" for number in range(2, len(ring.keys) + 3)))
    return next(each for each in names if each not in ring.keys)


def _remove(settings: Settings, ring: PatientKeyFile, now: Standing, name: str) -> int:
    """Take an old key out of the file. Raises UserError if something still needs it."""
    from msgspec.structs import replace

    key = next((each for each in now.keys if each.id == name and name in ring.keys), None)
    if key is None:
        raise UserError(f"there is no key '{name}' in the key file.", f"Known: {', '.join(ring.keys)}")
    if name in (ring.current, ring.next):
        raise UserError(f"'{name}' is the {key.role} key.", "Only an old one can be removed.")
    if now.away:
        raise UserError(f"{now.why[0]}.", "Ask again when they are back.")
    if key.sealing or key.sealed.blocks:
        raise UserError(
            f"'{name}' is needed: {key.sealed.blocks} blocks are sealed under it, "
            f"{len(key.sealing)} processes seal under it.",
            f"Maybe wait: see `{typed('keys status')}`.",
        )
    keys = {each: secret for each, secret in ring.keys.items() if each != name}
    asyncio.run(_forgotten(settings, name))
    return _written(settings, replace(ring, keys=keys), f"{name} is removed from the key file")


def _forget(settings: Settings, ring: PatientKeyFile, name: str) -> int:
    """A key is lost: processes are ready without it. The one of that name in the key file is not."""
    from dispatcher.security.rings import prints_of

    if not asyncio.run(_forgotten(settings, name, prints_of(ring).get(name, ""))) and name in ring.keys:
        raise UserError(f"'{name}' is in the key file: it is not lost.", "Maybe --remove was meant.")
    which = f"another key by the name {name} than the key file's" if name in ring.keys else name
    print(
        f"{which} is not waited for any more; what it sealed cannot be read, and `{typed('audit')}` names it"
    )
    return 0


async def _forgotten(settings: Settings, name: str, kept: str = "") -> int:
    """No process is asked to have a key of that name any more, but for the print `kept`; how many."""
    from dispatcher.store.keys import Keys
    from dispatcher.store.rings import RingPart
    from dispatcher.store.servers import servers_of

    servers, forgotten = servers_of(_url(settings)), 0
    try:
        for market in settings.markets:
            part = RingPart(servers.reader, Keys(market))
            for each in await part.used():
                if each.id == name and each.print != kept:
                    await part.forget(each)
                    forgotten += 1
    finally:
        await servers.aclose()
    return forgotten


def _told(path: Path, now: Standing) -> list[str]:
    """The standing, for people."""
    lines = [f"{path}: {len(now.processes)} processes run{''.join(f'; {each}' for each in now.processes)}"]
    for key in now.keys:
        lacking = f", not known to {', '.join(key.lacking)}" if key.lacking else ""
        sealed = key.sealed
        lines.append(
            f"  {key.id} ({key.role}): seals {sealed.open} open requests, {sealed.ended} ended, "
            f"{sealed.comments} comments, {sealed.messages} messages; "
            f"{len(key.sealing)} processes seal under it{lacking}"
        )
    lines += [f"  {each}" for each in now.why]
    return [*lines, *(f"  wrong: {each}" for each in now.problems), *_hints(now)]


def _hints(now: Standing) -> list[str]:
    """What to do next."""
    from dispatcher.audit.key_rounds import Role, Step

    free = [each.id for each in now.of_role(Role.OLD) if not each.sealed.blocks and not each.sealing]
    rotate = typed("keys rotate")
    hints = {
        Step.ADD: f"  `{rotate}` begins one",
        Step.PROMOTE: f"  `{rotate}` does that",
        Step.REMOVE: "\n".join(f"  `{rotate} --remove {each}` does that" for each in free),
        Step.WAIT: f"  wait, and ask `{typed('keys status')}` again",
    }
    lost = [
        f"  put {each.id} back into the key file; if it is lost: `{rotate} --forget {each.id}`"
        for each in now.of_role(Role.MISSING)
    ]
    return [each for each in (hints[now.step], *lost) if each]


def _json(now: Standing) -> str:
    import msgspec

    return msgspec.json.format(msgspec.json.encode(now), indent=2).decode()
