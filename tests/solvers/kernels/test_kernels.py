"""The kernels are built once, for any machine of the kind, and say what to do where they cannot be."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from solvers.kernels import build as building


def _copy(folder: Path) -> Path:
    for source in (*building.HERE.glob("*.c"), *building.HERE.glob("*.h")):
        shutil.copy(source, folder)
    return folder


def test_other_sources_make_another_library_and_the_old_one_goes(tmp_path: Path) -> None:
    (tmp_path / "one.c").write_text("int one(void) { return 1; }\n")
    first = building.build(tmp_path)
    assert first.exists()
    assert building.build(tmp_path) == first
    (tmp_path / "one.c").write_text("int one(void) { return 2; }\n")
    second = building.build(tmp_path)
    assert second != first
    assert [path.name for path in tmp_path.glob("_kernels-*")] == [second.name]


def test_without_a_compiler_the_error_says_what_may_fix_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(building, "compiler", lambda: None)
    with pytest.raises(building.NoCompiler, match="pip install ziglang"):
        building.build(_copy(tmp_path))


def test_a_source_that_does_not_compile_is_told(tmp_path: Path) -> None:
    (tmp_path / "broken.c").write_text("int f( {")
    with pytest.raises(RuntimeError, match="failed on the kernels"):
        building.build(tmp_path)


def test_a_solve_of_a_large_day_needs_no_or_tools() -> None:
    program = "import sys, solvers.assignment.solve; sys.exit('ortools' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
