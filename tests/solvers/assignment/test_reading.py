"""A problem file may come from anybody: what it declares is judged before it is read, whatever it holds."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.generator import generate
from dispatcher.cli.solve import load_problem
from dispatcher.runtime.errors import UsageError
from solvers.arrays import arrays_of
from solvers.assignment import reading
from solvers.assignment.exactness import REQUESTS_LIMIT
from solvers.assignment.problem import AssignmentProblem
from tests.solvers.assignment.problems import random_problem

ARRAYS = arrays_of(generate(5, "normal", 1))
HEADER = "{'descr': %s, 'fortran_order': %s, 'shape': %s, }"


def member(header: str, values: bytes = b"", magic: bytes = b"\x93NUMPY\x01\x00") -> bytes:
    """An array as numpy writes it, with any header."""
    return magic + len(header).to_bytes(2, "little") + header.encode() + values


def file_of(path: Path, method: int = zipfile.ZIP_DEFLATED, **changes: bytes | np.ndarray | None) -> Path:
    """The problem with some members exchanged: by other bytes, another array, or nothing."""
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, held in {**ARRAYS, **changes}.items():
            content = io.BytesIO(held if isinstance(held, bytes) else b"")
            if not isinstance(held, bytes):
                np.save(content, held)
            if held is not None:
                archive.writestr(f"{name}.npy", content.getvalue())
    return path


def refusal(path: Path) -> str:
    with pytest.raises(UsageError) as told:
        load_problem(path)
    return str(told.value)


@pytest.mark.parametrize(
    ("name", "shape", "says"),
    [
        ("request_penalty", (2**28,), f"(268435456,); a file may hold {REQUESTS_LIMIT} at most"),
        ("column_request", (2**28,), f"a file may hold {reading.COLUMNS_IN_FILE} at most"),
        ("column_cost", (2**28,), "column_cost has shape (268435456,); it must have ("),
        ("capacity", (2**20, 2**10, 0), "capacity has shape (1048576, 1024, 0); vendors x pools"),
        ("capacity", (2**62, 0, 0), "capacity has shape (4611686018427387904, 0, 0)"),
        ("capacity", (4, 4), "capacity has shape (4, 4); it must have 3 dimension(s)"),
        ("column_cost", (-3,), "column_cost has no header that can be read: its shape is (-3,)"),
        ("vendor_cap", (2**28,), "vendor_cap has shape"),
        ("pinned", (2**28,), "pinned has shape"),
        ("precedence", (2**28, 2), "precedence has shape"),
        ("shortfall_cost", (2,), "shortfall_cost has shape (2,)"),
    ],
)  # fmt: skip
def test_what_is_declared_too_large_or_against_the_rest_is_refused_unread(
    name: str, shape: tuple[int, ...], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "_values", None)
    path = file_of(tmp_path / "p.npz", **{name: member(HEADER % ("'<i8'", False, shape))})
    assert says in refusal(path)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (member("{'descr': '<i8', 'shape': (3,\n"), "no header that can be read"),
        (member("{'descr': '<i8', 'shape': (3L,)}\n '''"), "no header that can be read"),
        (member("(" * 9000), "no header that can be read"),
        (member(HEADER % ("'|O'", False, (3,)), b"\x80\x04."), "holds object; it must hold integers"),
        (member(HEADER % ("'<U9999999'", False, (3,))), "not that of plain numbers"),
        (member(HEADER % ("'<i8'", False, (10**6,)), b"abc"), "column_cost has shape (1000000,)"),
        (member(HEADER % ("'<i8'", False, np.shape(ARRAYS["column_cost"])), b"abc"), "its header declares"),
        (b"garbage", "does not begin as a numpy array"),
        (b"", "does not begin as a numpy array"),
        (None, "lacks column_cost"),
    ],
)  # fmt: skip
def test_a_member_that_is_no_array_of_integers_is_named(
    content: bytes | None, says: str, tmp_path: Path
) -> None:
    told = refusal(file_of(tmp_path / "p.npz", column_cost=content))
    assert says in told
    assert "column_cost" in told


def test_a_method_of_packing_that_may_ask_for_any_memory_is_refused(tmp_path: Path) -> None:
    assert "is compressed by method 14" in refusal(file_of(tmp_path / "p.npz", zipfile.ZIP_LZMA))


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    assert "it is no file" in refusal(tmp_path)


def test_an_array_in_fortran_order_is_read_as_it_was_meant(tmp_path: Path) -> None:
    turned = np.asfortranarray(ARRAYS["capacity"].swapaxes(0, 2).copy()).swapaxes(0, 2)
    path = file_of(tmp_path / "p.npz", capacity=np.asfortranarray(turned), shortfall_cost=np.array([7]))
    problem = AssignmentProblem.load(path)
    assert np.array_equal(problem.capacity, ARRAYS["capacity"])
    assert problem.shortfall_cost == 7


@pytest.mark.parametrize("seed", range(20))
def test_what_was_saved_with_or_without_packing_is_read_back(seed: int, tmp_path: Path) -> None:
    problem = random_problem(seed)
    problem.save(tmp_path / "packed.npz")
    np.savez(tmp_path / "plain.npz", **arrays_of(problem))
    for name in ("packed.npz", "plain.npz"):
        again = arrays_of(AssignmentProblem.load(tmp_path / name))
        assert all(np.array_equal(again[key], value) for key, value in arrays_of(problem).items())


def _damaged(rng: np.random.Generator, path: Path) -> None:
    """Bytes changed, cut out and cut off; or members with headers that mean harm."""
    method = int(rng.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]))
    if rng.random() < 0.5:
        content = bytearray(file_of(path, method).read_bytes())
        for _ in range(int(rng.integers(1, 6))):
            content[int(rng.integers(len(content)))] = int(rng.integers(256))
        path.write_bytes(content[: len(content) if rng.random() < 0.7 else int(rng.integers(len(content)))])
        return
    pieces: dict[str, Any] = {
        "type": ["'<i8'", "'<f8'", "'|O'", "'<U5'", "'|b1'", "'<M8[s]'", "[('a', '<i8')]", "''", "5"],
        "shape": ["(3,)", "(-1,)", "(0,)", "(True,)", "()", "(99999999999999999999,)", "None", "(1, 0, 5)"],
        "order": ["False", "True", "[]"], "body": [b"", bytes(24), bytes(200), b"\x80\x04."],
    }  # fmt: skip
    one = {name: options[int(rng.integers(len(options)))] for name, options in pieces.items()}
    header = HEADER % (one["type"], one["order"], one["shape"])
    name = sorted(ARRAYS)[int(rng.integers(len(ARRAYS)))]
    file_of(path, method, **{name: member(header, one["body"])})


@pytest.mark.parametrize("seed", range(150))
def test_whatever_is_done_to_a_file_it_is_a_problem_or_an_error_with_words(seed: int, tmp_path: Path) -> None:
    _damaged(np.random.default_rng(seed), tmp_path / "p.npz")
    try:
        assert load_problem(tmp_path / "p.npz").requests == 5
    except UsageError as error:
        assert "is not an assignment problem: " in str(error)
