"""What is stored keeps its shape under its format number: another shape is another number, and is read, too.

`shapes.txt` has a line for each kind and number: the fields in the order in which they are written, in
brackets those that may lack. Who knows a number reads whatever another version writes under it: that is what
lets two versions run side by side. So a line is never changed once it is released. Raise the number
(`dispatcher.store.formats`, or the record's tag), keep what reads the one before, and add the new line:

    python -m tests.store.test_shapes
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from contracts.requests import EquipmentOrder, TripRequest
from dispatcher.domain.kinds import kinds
from dispatcher.store import formats
from dispatcher.store.bodies import Sealed
from dispatcher.store.decisions import Entry

SHAPES = Path(__file__).with_name("shapes.txt")
BODIES = (TripRequest, EquipmentOrder)
SEALED = frozenset({"identifiers"})  # of them what stands in the sealed block alone


def shapes() -> list[str]:
    """A line for each form of what is stored, as it is now."""
    known = formats.known()
    forms = [(each.name, known[each.name], each.form) for each in kinds()]
    forms += [(name, number, form) for form, (name, number) in formats.DOCUMENTS.items()]
    forms += [(f"body {each.__name__}", formats.BODY, each) for each in BODIES]
    forms += [("sealed block of a body", formats.BODY, Sealed)]
    forms += [("ledger of decisions", formats.LAYOUT, Entry)]
    return sorted(f"{name} {number}: {_shape(form)}" for name, number, form in forms)


def _shape(form: type) -> str:
    """All that it holds, each type once, in the order in which it is met."""
    found: dict[str, str] = {}
    _meet(msgspec.inspect.type_info(form), found)
    return "; ".join(f"{name}({fields})" for name, fields in found.items())


def _meet(info: Any, found: dict[str, str]) -> None:
    info = _bare(info)
    if isinstance(info, msgspec.inspect.StructType):
        name = f"{info.cls.__name__}{' array' if info.array_like else ''}"
        if name in found:
            return
        fields = _fields(info)
        told = [f"{each.encode_name}: {_named(each.type)}" for each in fields]
        optional = [not each.required for each in fields]
        words = [f"[{one}]" if may_lack else one for one, may_lack in zip(told, optional, strict=True)]
        found[name] = ", ".join(words)
    for each in _within(info):
        _meet(each, found)


def _fields(info: Any) -> list[Any]:
    return [each for each in info.fields if info.cls not in BODIES or each.name not in SEALED]


def _bare(info: Any) -> Any:
    """Without bounds and descriptions."""
    return _bare(info.type) if isinstance(info, msgspec.inspect.Metadata) else info


def _within(info: Any) -> Iterator[Any]:
    """The types of which a type is made."""
    if isinstance(info, msgspec.inspect.StructType):
        yield from (each.type for each in _fields(info))
    for name in ("item_type", "key_type", "value_type"):
        if (one := getattr(info, name, None)) is not None:
            yield one
    for name in ("item_types", "types"):
        yield from getattr(info, name, ())


def _named(info: Any) -> str:
    """A type in short: bounds and enumerations may grow, what it is made of may not."""
    info = _bare(info)
    own = getattr(getattr(info, "cls", None), "__name__", type(info).__name__.removesuffix("Type").lower())
    within = [_named(each) for each in _within(info)] if not hasattr(info, "fields") else []
    return f"{own}<{' | '.join(within)}>" if within else str(own)


def test_what_is_stored_has_the_shape_that_its_number_says() -> None:
    now, told = shapes(), SHAPES.read_text().splitlines()
    changed = [each for each in now if each not in told]
    assert changed == [], "raise its format number and read the one before, then: see this file's first lines"


def test_each_number_has_one_shape() -> None:
    names = [each.partition(":")[0] for each in SHAPES.read_text().splitlines()]
    assert len(set(names)) == len(names)


if __name__ == "__main__":
    kept = SHAPES.read_text().splitlines() if SHAPES.exists() else []
    known = {each.partition(":")[0] for each in kept}
    kept += [each for each in shapes() if each.partition(":")[0] not in known]
    SHAPES.write_text("\n".join(sorted(kept)) + "\n")
