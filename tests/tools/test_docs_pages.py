"""The documentation's tables are the code's tables."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from contracts.codes import Role
from dispatcher.domain.commands.table import commands
from dispatcher.domain.states import REQUEST_STATES
from dispatcher.domain.task_owners import OWNERS
from dispatcher.domain.tasks import TASK_STATES
from dispatcher.http.metrics import Metrics
from dispatcher.http.routing import subjects
from dispatcher.settings import Settings, variable
from tools import operations_tables
from tools.roles_page import COLUMNS, FINER

ROOT = Path(__file__).resolve().parents[2]
DOCS, TOOL = ROOT / "docs", ROOT / "tools" / "docs_pages.py"
spec = importlib.util.spec_from_file_location("docs_pages", TOOL)
pages = importlib.util.module_from_spec(spec)
spec.loader.exec_module(pages)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every page made anew, as a person would."""
    folder = tmp_path_factory.mktemp("docs")
    for name in ("api.md", "fhir.md", "operations.md", "tds.md"):
        shutil.copy(DOCS / name, folder)
    subprocess.run([sys.executable, str(TOOL), str(folder)], check=True)
    return folder


@pytest.mark.parametrize(
    "name",
    ["states.md", "commands.md", "tuning.md", "api.md", "roles.md", "operations.md", "fhir.md", "tds.md"],
)
def test_a_page_made_from_the_code_is_up_to_date(name: str, made: Path) -> None:
    text = (made / name).read_text(encoding="utf-8")
    assert (DOCS / name).read_text(encoding="utf-8") == text, "run: python tools/docs_pages.py docs"


def test_every_step_of_the_tables_is_drawn() -> None:
    page = pages.states_page()
    for state, stage in REQUEST_STATES.items():
        assert f"| `{state}` |" in page
        assert all(f"    {state} --> {each}\n" in page for each in stage.next)


def test_every_task_has_its_row_and_every_timer_its_words() -> None:
    page = pages.states_page()
    assert all(f"| `{kind}` | {pages.WHY[kind]} | {owner} |" in page for kind, owner in OWNERS.items())
    assert set(pages.TASK_TIMERS) == set(TASK_STATES)
    assert set(pages.TIMERS) == {stage.timer for stage in REQUEST_STATES.values()}


def test_every_command_has_its_row() -> None:
    page = pages.commands_page()
    for command, row in commands().items():
        (found,) = (line for line in page.splitlines() if line.startswith(f"| `{command.__name__}` |"))
        assert all(role in found for role in row.roles)
    assert "POST /v1/markets/{market}/offers/{offer_id}/accept" in page


def test_every_guarded_route_has_its_row_and_a_mark_for_each_role_that_may() -> None:
    page = (DOCS / "roles.md").read_text(encoding="utf-8")
    lines = [line for line in page.splitlines() if line.startswith(("| `", "| [`"))]
    rows = {line.split("`")[1]: line.split("|")[3:-1] for line in lines}
    for operation in (
        route.operation for subject in subjects() for route in subject if route.operation.roles
    ):
        marked = {role for role, mark in zip(COLUMNS, rows[operation.id], strict=True) if mark.strip()}
        assert marked == operation.roles
    assert set(COLUMNS) == set(Role)
    assert set(FINER) < set(rows)


def test_every_metric_that_is_exposed_and_every_setting_has_its_row() -> None:
    page = (DOCS / "operations.md").read_text(encoding="utf-8")
    rows = {line.split("`")[1] for line in page.splitlines() if line.startswith("| `")}
    exposed = {
        line.split()[2] + ("_total" if line.split()[3] == "counter" else "")
        for line in Metrics().page().decode().splitlines()
        if line.startswith("# TYPE dispatcher_")
    }
    assert {"dispatcher_will_calls", "dispatcher_tasks_overdue", "dispatcher_unreadable_total"} < exposed
    assert exposed | {variable(each) for each in Settings.__struct_fields__} <= rows


def test_a_page_without_the_table_is_said() -> None:
    with pytest.raises(ValueError, match="no table that begins"):
        operations_tables.operations_page("# Operations\n")


def test_what_is_written_by_hand_in_a_page_stays() -> None:
    head = "\n".join(pages.ROUTES_HEAD)
    page = pages.api_page(f"# Before\n\n{head}\n| an | earlier | row | 200 |\n\n## After\n")
    assert page.startswith(f"# Before\n\n{head}\n| `POST /v1/markets/{{market}}/requests` |")
    assert page.endswith("\n\n## After\n")
    assert "earlier" not in page
