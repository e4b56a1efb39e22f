"""`dispatcher bench`: a benchmark is a module, found by its name; its options are its own."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from dispatcher import cli
from dispatcher.cli import bench


def test_a_benchmark_gets_its_own_options_and_its_exit_code_counts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
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
    for module in [name for name in sys.modules if name.partition(".")[0] == "benchmarks"]:
        monkeypatch.delitem(sys.modules, module)
    assert bench.benchmarks() == {"sheep": "Counts sheep."}
    assert cli.main(["bench", "sheep", "--sheep", "7"]) == 7


def test_an_unknown_benchmark_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["bench", "no-such-benchmark"]) == 2
    assert "'no-such-benchmark'" in capsys.readouterr().err
