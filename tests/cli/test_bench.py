"""`dispatcher bench`: a benchmark is a module, found by its name; its options are its own."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dispatcher import cli
from dispatcher.cli import bench
from dispatcher.runtime import own_packages


@pytest.fixture
def none_imported() -> Iterator[None]:
    """No benchmark is known before the test, nor any of the test's own after it."""
    before = {name: module for name, module in sys.modules.items() if name.partition(".")[0] == "benchmarks"}
    for name in before:
        del sys.modules[name]
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] == "benchmarks"]:
        del sys.modules[name]
    sys.modules.update(before)


def test_a_benchmark_gets_its_own_options_and_its_exit_code_counts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, none_imported: None
) -> None:
    source = (
        '"""Counts sheep."""\n'
        "def add_arguments(parser):\n    parser.add_argument('--sheep', type=int)\n"
        "def run(args):\n    return args.sheep\n"
    )
    (tmp_path / "benchmarks").mkdir()
    (tmp_path / "benchmarks" / "__init__.py").touch()
    (tmp_path / "benchmarks" / "sheep.py").write_text(source)
    (tmp_path / "benchmarks" / "helper.py").write_text('"""No benchmark."""\n')
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(own_packages, "HOME", tmp_path)
    monkeypatch.setattr(bench, "HOME", tmp_path)
    monkeypatch.setattr(cli, "refuse_foreign", lambda: None)
    assert bench.benchmarks() == {"sheep": "Counts sheep."}
    assert cli.main(["bench", "sheep", "--sheep", "7"]) == 7


def test_an_unknown_benchmark_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["bench", "no-such-benchmark"]) == 2
    assert "'no-such-benchmark'" in capsys.readouterr().err
