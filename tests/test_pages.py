"""The documentation's tables are the code's tables."""

from __future__ import annotations

from pathlib import Path

import pytest

from dispatcher import pages

DOCS = Path(__file__).resolve().parents[1] / "docs"


@pytest.mark.parametrize("name", ["states.md"])
def test_a_page_made_from_the_code_is_up_to_date(name: str, tmp_path: Path) -> None:
    pages.write(tmp_path)
    made = (tmp_path / name).read_text(encoding="utf-8")
    assert (DOCS / name).read_text(encoding="utf-8") == made, "run: python -m dispatcher.pages docs"


def test_every_step_of_the_tables_is_drawn() -> None:
    page = pages.states_page()
    for state, stage in pages.REQUEST_STATES.items():
        assert f"| `{state}` |" in page
        assert all(f"    {state} --> {each}\n" in page for each in stage.next)
