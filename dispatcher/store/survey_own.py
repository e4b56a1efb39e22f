"""What the service's processes tell each other in the store: each must be what it was made as."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from redis.exceptions import ResponseError

from dispatcher.security.rings import KeyPrint, Ring
from dispatcher.store import keys as names
from dispatcher.store.connection import Reader
from dispatcher.store.format_numbers import newest
from dispatcher.store.keys import Keys
from dispatcher.store.resp import text_of
from dispatcher.store.rings import RingPart

NO_HASH = "is no hash as the service makes it"
FIGURES = names.ACCEPTANCE, names.PATTERNS, names.CALLS, names.FAIRNESS, names.QUARTERS, names.TROUBLES


class Own(NamedTuple):
    """Formats that were written; who has which patient keys now; which are used."""

    formats: dict[str, int] = {}  # noqa: RUF012 - never changed
    rings: list[Ring] = []  # noqa: RUF012 - never changed
    patient_keys: frozenset[KeyPrint] = frozenset()


async def read_own(reader: Reader, keys: Keys, strange: dict[str, str]) -> Own:
    """What the service's processes tell each other; each must be what it was made as."""
    part, told = RingPart(reader, keys), Own()
    for name in (keys.matchers, keys.pulse, keys.measures, keys.what_ifs):
        if text_of(await reader.ask("TYPE", name)) not in ("hash", "none"):
            strange[name.removeprefix(keys.prefix)] = NO_HASH
    leases = (keys.lease, keys.webhooks_lease, keys.jobs_lease)
    texts = (*leases, keys.fence, keys.webhooks_fence, keys.jobs_fence, keys.sends_nothing)
    for name in texts:
        if text_of(await reader.ask("TYPE", name)) not in ("string", "none"):
            strange[name.removeprefix(keys.prefix)] = "is no text"
    try:
        told = told._replace(formats=newest(map(text_of, await reader.ask("HGETALL", keys.formats))))
    except ResponseError:
        strange[keys.formats.removeprefix(keys.prefix)] = NO_HASH
    try:
        told = told._replace(rings=await part.living())
    except ResponseError:
        strange[keys.rings.removeprefix(keys.prefix)] = NO_HASH
    try:
        told = told._replace(patient_keys=await part.used())
    except ResponseError:
        strange[keys.patient_keys.removeprefix(keys.prefix)] = NO_HASH
    return told


async def counts_in(reader: Reader, strange: dict[str, str], short: str, keys: Keys) -> dict[str, int]:
    """A hash of whole numbers; what is none is told of as strange."""
    try:
        fields = await reader.ask("HGETALL", keys.prefix + short)
        return {text_of(name): int(count) for name, count in fields.items()}
    except (ResponseError, ValueError):
        strange[short] = NO_HASH
        return {}


async def look_at_figures(
    reader: Reader, keys: Keys, strange: dict[str, str], parts: Mapping[str, Sequence[str]]
) -> None:
    """What is only counted: one that is none stops nothing, and is told of."""
    for first in FIGURES:
        for rest in parts.get(first, ()):
            await counts_in(reader, strange, f"{first}:{rest}" if rest else first, keys)
