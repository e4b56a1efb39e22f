"""`bench start`: the quickest and the middle start, and what imports take."""

from __future__ import annotations

from benchmarks.start import imports_s, told_of


def test_of_several_starts_the_quickest_and_the_middle_one_are_told() -> None:
    found = [{"ready": each, "ready_cpu": 2 * each} for each in (3.0, 1.0, 2.0)]
    told = told_of(found, {"web": 0.51239})
    assert (told["starts"], told["ready_least_s"], told["ready_median_s"]) == (3, 1.0, 2.0)
    assert (told["ready_cpu_least_s"], told["imports_web_cpu_s"]) == (2.0, 0.512)


def test_imports_are_measured_in_a_python_of_their_own() -> None:
    assert 0 < imports_s("json", 1) < 30
