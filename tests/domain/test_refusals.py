"""What a refusal tells a program reaches it: no fact has a name that a problem keeps for itself."""

from __future__ import annotations

import ast
from pathlib import Path

import dispatcher
from contracts.problems import RESERVED
from dispatcher.domain.refusals import Refusal, no_such
from dispatcher.domain.threads import SUBJECTS

SERVICE = Path(dispatcher.__file__).parent


def test_no_refusal_has_a_fact_that_its_problem_would_drop() -> None:
    refusals, told = _names(Refusal), []
    for path in SERVICE.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        if not any(f"{name}(" in text for name in refusals):
            continue
        told += [(path.name, *each) for each in _facts(ast.parse(text), refusals)]
    assert len({name for _, _, name in told}) > 5, "the facts are found no more"
    assert [each for each in told if each[-1] in RESERVED] == []


def test_of_what_goes_some_time_after_its_end_it_is_said_that_it_may_be_forgotten() -> None:
    threads = (f"{each.noun} 1" for each in SUBJECTS.values())
    others = ("request r1", "offer r1.1", "standing order s1", "task r1.failed", "authorization a1")
    for named in (*others, *threads):
        refused = no_such(named)
        assert (refused.status, refused.reason) == (404, f"there is no {named}")
        assert refused.detail.endswith("is misspelt, or it is forgotten: `retention_hours` after its end.")
    assert no_such("vendor v1").detail == "there is no vendor v1\nMaybe the id is misspelt."


def _names(kind: type[Refusal]) -> set[str]:
    return {kind.__name__}.union(*map(_names, kind.__subclasses__()))


def _facts(tree: ast.Module, refusals: set[str]) -> list[tuple[int, str]]:
    """Line and name of each fact, `**facts` left out."""
    made = [each for each in ast.walk(tree) if isinstance(each, ast.Call)]
    named = [each for each in made if isinstance(each.func, ast.Name) and each.func.id in refusals]
    return [(each.lineno, fact.arg) for each in named for fact in each.keywords if fact.arg is not None]
