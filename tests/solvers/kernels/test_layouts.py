"""Python and the compiled kernels agree on every struct; a layout that differs is refused and named."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from solvers.kernels import library as loading
from solvers.kernels.agreement import WrongLayout, require_agreement
from solvers.kernels.layouts import CANDIDATE, LAYOUTS, TIES, Layout
from solvers.kernels.library import Struct, library

FIELDS: list[tuple[str, Any]] = [(name, TIES[name]) for name in TIES.names or ()]
EXTRA = ("extra", np.int64)
PADDED: Any = {
    "names": CANDIDATE.names,
    "formats": [CANDIDATE[name] for name in CANDIDATE.names or ()],
    "offsets": [0, 8, 16, 20, 24, 28, 32, 36],
    "itemsize": 48,
}
#: What is wrong -> field, what Python states, what the kernels were compiled with.
WRONG_TIES: dict[str, tuple[list[tuple[str, Any]], str, str, str]] = {
    "extra": ([*FIELDS[:3], EXTRA, *FIELDS[3:]], "field extra", "8 bytes at 24", "missing"),
    "extra last": ([*FIELDS, EXTRA], "field extra", "8 bytes at 152", "missing"),
    "swapped": (
        [FIELDS[0], FIELDS[2], FIELDS[1], *FIELDS[3:]],
        "field first",
        "8 bytes at 8",
        "8 bytes at 16",
    ),
    "missing": ([*FIELDS[:5], *FIELDS[6:]], "field pair", "missing", "8 bytes at 40"),
    "missing last": (FIELDS[:-1], "field width", "missing", "8 bytes at 144"),
    "narrower": ([*FIELDS[:-1], ("width", np.int32)], "field width", "4 bytes at 144", "8 bytes at 144"),
}


def _told(struct: str, where: str, stated: str, compiled: str) -> str:
    told = f"struct {struct}, {where}: {stated} in layouts.py, {compiled} in the compiled kernels\nMaybe "
    return f"^{re.escape(told)}"


def test_the_library_agrees_with_every_layout() -> None:
    require_agreement(library(), LAYOUTS)


@pytest.mark.parametrize("wrong", WRONG_TIES)
def test_fields_that_differ_are_refused(wrong: str) -> None:
    fields, *told = WRONG_TIES[wrong]
    with pytest.raises(WrongLayout, match=_told("Ties", *told)):
        require_agreement(library(), {"Ties": np.dtype(fields)})


def test_a_struct_of_another_size_is_refused() -> None:
    with pytest.raises(WrongLayout, match=_told("Candidate", "the whole", "48 bytes at 0", "40 bytes at 0")):
        require_agreement(library(), {"Candidate": np.dtype(PADDED)})


def test_a_struct_that_the_kernels_do_not_know_is_refused() -> None:
    with pytest.raises(WrongLayout, match=_told("Tie", "field size", "8 bytes at 0", "missing")):
        require_agreement(library(), {"Tie": TIES})


def test_a_library_that_does_not_agree_is_not_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong: dict[str, Layout] = {**LAYOUTS, "Ties": np.dtype(FIELDS[::-1])}
    monkeypatch.setattr(loading, "LAYOUTS", wrong)
    with pytest.raises(WrongLayout, match="struct Ties"):
        library.__wrapped__()


def test_a_struct_takes_only_fields_that_it_has() -> None:
    with pytest.raises(ValueError, match="sise"):
        Struct(TIES, sise=1)
