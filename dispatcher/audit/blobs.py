"""Whether what lies beside the store is there, and as it was put: by its size and digest, without any key."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from dispatcher.blobs.port import Blobs

AT_ONCE = 8  # read from where they lie


class Named(NamedTuple):
    """One that a record names. `size`: of its plain bytes; `sealed`: SHA-256 of what lies there, if known."""

    record_id: str
    name: str
    size: int
    sealed: str


def faults(what: str, named: Iterable[Named], kept: Mapping[str, int], blobs: Blobs) -> list[tuple[str, str]]:
    """What is wrong with them, by record; in a thread. `kept`: sizes by name, as they were listed after the
    records were read. Raises OSError.
    """
    found, whole = list[tuple[str, str]](), list[Named]()
    for each in named:
        size = kept.get(each.name)
        if size is None:
            found.append((each.record_id, f"names {what} {each.name}, which is not there"))
        elif size <= each.size:  # sealed it is longer
            found.append((each.record_id, f"names {what} {each.name}, which is cut short"))
        elif each.sealed:
            whole.append(each)
    damaged = [each for each, sound in zip(whole, _sound(whole, blobs), strict=True) if not sound]
    return found + [(each.record_id, f"names {what} {each.name}, which is damaged") for each in damaged]


def _sound(named: Sequence[Named], blobs: Blobs) -> list[bool]:
    def is_sound(one: Named) -> bool:
        content = blobs.get(one.name)
        return content is not None and hashlib.sha256(content).hexdigest() == one.sealed

    with ThreadPoolExecutor(AT_ONCE, "audit") as threads:
        return list(threads.map(is_sound, named))
