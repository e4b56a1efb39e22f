"""Dashboards and alert rules: PromQL that parses, over metrics and labels that `/metrics` has, for people."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import promql_parser
import pytest
import yaml

from contracts.health import Routing
from dispatcher.http.metrics import Metrics
from dispatcher.http.routing import subjects
from dispatcher.service.measures import FAMILIES

HERE = Path(__file__).parents[2]
DEPLOY, OPERATIONS = HERE / "deploy", HERE / "docs" / "operations.md"
RULES = [DEPLOY / "prometheus" / name for name in ("objectives.yml", "alerts.yml", "scaling.yml")]
BOARDS = sorted((DEPLOY / "grafana").glob("*.json"))
OF_PROMETHEUS = {"up": {"job", "instance"}, "ALERTS": {"alertname", "alertstate"}}
OF_EVERY_TARGET = {"job", "instance"}
VARIABLES = {"$__rate_interval": "5m", "$market": ".+"}
SUFFIXES = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum")}


class Told(NamedTuple):
    """A metric of the service: its labels, and the values of those that are known beforehand."""

    labels: frozenset[str]
    values: Mapping[str, frozenset[str]]


def _of_the_service() -> dict[str, Told]:
    """Every name that `/metrics` may tell, with its labels."""
    metrics = Metrics()
    metrics.routing.found(Routing(server="osrm", answers=True), {"road": 1}, {"ok": 1})
    labelled = {
        each.name: frozenset(getattr(each, "_labelnames", ()) or ()) for each in metrics.registry.collect()
    }
    for collector in metrics.registry._collector_to_names:
        if name := getattr(collector, "_name", ""):
            labelled[name] = frozenset(collector._labelnames)  # type: ignore[attr-defined]
    operations = frozenset(route.operation.id for subject in subjects() for route in subject)
    known: dict[str, dict[str, frozenset[str]]] = {
        each.name: {each.label: each.values} | ({"le": _bounds(each.bounds)} if each.bounds else {})
        for each in FAMILIES
    }
    known["dispatcher_http_calls"] = {"operation": operations}
    known["dispatcher_http_seconds"] = {"operation": operations, "le": _bounds(metrics.seconds._upper_bounds)}
    told = {}
    for each in metrics.registry.collect():
        for suffix in SUFFIXES.get(each.type, ("",)):
            labels = labelled[each.name] | ({"le"} if suffix == "_bucket" else set())
            told[each.name + suffix] = Told(labels, known.get(each.name, {}))
    return told


def _bounds(bounds: Any) -> frozenset[str]:
    return frozenset("+Inf" if each == float("inf") else str(float(each)) for each in (*bounds, float("inf")))


SERVICE = _of_the_service()


def _rules() -> Iterator[tuple[str, dict[str, Any]]]:
    for file in RULES:
        for group in yaml.safe_load(file.read_text())["groups"]:
            for rule in group["rules"]:
                yield rule["expr"], rule


RECORDED = {rule["record"]: {"slo", "market"} for _, rule in _rules() if "record" in rule}


def _panels(board: Path) -> list[dict[str, Any]]:
    return [each for each in json.loads(board.read_text())["panels"] if each["type"] != "row"]


def _expressions() -> Iterator[tuple[str, str]]:
    """Where each stands, and what Prometheus is asked."""
    for expression, rule in _rules():
        yield rule.get("record") or rule["alert"], expression
    for board in BOARDS:
        for panel in _panels(board):
            for target in panel["targets"]:
                yield f"{board.stem}: {panel['title']}", target["expr"]


def _parsed(expression: str) -> Any:
    for name, value in VARIABLES.items():
        expression = expression.replace(name, value)
    return promql_parser.parse(expression)


def _selectors(node: Any) -> Iterator[Any]:
    """Every selector of a parsed expression."""
    if isinstance(node, promql_parser.VectorSelector):
        yield node
    for name in ("lhs", "rhs", "expr", "vector_selector", "param"):
        child = getattr(node, name, None)
        if child is not None and not isinstance(child, str | float | int):
            yield from _selectors(child)
    for child in getattr(node, "args", None) or ():
        yield from _selectors(child)


def _named(expression: str) -> list[tuple[str, list[tuple[str, str, str]]]]:
    """Of each selector: the metric, and its matchers as (label, operator, value)."""
    return [
        (each.name, [(one.name, str(one.op), one.value) for one in each.matchers.matchers])
        for each in _selectors(_parsed(expression))
    ]


@pytest.mark.parametrize(("where", "expression"), list(_expressions()))
def test_what_is_asked_is_there(where: str, expression: str) -> None:
    found = _named(expression)
    assert found or expression.startswith("vector("), f"{where} asks for nothing: {expression}"
    for name, matchers in found:
        known = SERVICE.get(name) or Told(frozenset(OF_PROMETHEUS.get(name, RECORDED.get(name, ()))), {})
        assert known.labels or name in SERVICE, f"{where}: there is no metric {name}"
        for label, operator, value in matchers:
            assert label in known.labels | OF_EVERY_TARGET, f"{where}: {name} has no label {label}"
            if "Equal" in operator and "Not" not in operator and label in known.values:
                assert value in known.values[label], f"{where}: {name} never has {label}={value!r}"


def test_the_check_sees_what_is_wrong() -> None:
    assert _named('sum(rate(a{b="c"}[5m])) / on (x) group_left () (2 * d)') == [
        ("a", [("b", str(promql_parser.MatchOp.Equal), "c")]),
        ("d", []),
    ]
    for wrong in ("rate(dispatcher_nothing[5m])", 'up{market="x"}', 'dispatcher_matches_total{outcome="x"}'):
        with pytest.raises(AssertionError):
            test_what_is_asked_is_there("here", wrong)
    with pytest.raises(ValueError, match="expected"):
        _parsed("rate(up[5m)")


def _anchors() -> set[str]:
    heads = re.findall(r"^#+ (.+)$", OPERATIONS.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in heads}


def test_an_alert_says_what_it_means_and_where_to_look() -> None:
    for _, rule in _rules():
        if "alert" not in rule:
            continue
        name, told = rule["alert"], rule["annotations"]
        assert rule["labels"]["severity"] in ("page", "ticket"), name
        assert told["summary"] and told["description"][-1] in ".?", name
        page, _, anchor = told["runbook"].partition("#")
        assert HERE / page == OPERATIONS and anchor in _anchors(), f"{name}: {told['runbook']}"
        by = re.findall(r"(?:by|on) \(([^)]*)\)", rule["expr"])
        there = (
            {each.strip() for group in by for each in group.split(",")} | OF_EVERY_TARGET | {"market", "slo"}
        )
        used = set(re.findall(r"\$labels\.(\w+)", told["summary"] + told["description"]))
        assert used <= there, f"{name} shows {used - there}, which its expression drops"
        assert not used & {"request", "vendor", "patient"}


def test_alert_names_are_unique_and_documented() -> None:
    names = [rule["alert"] for _, rule in _rules() if "alert" in rule]
    assert len(set(names)) == len(names)
    text = OPERATIONS.read_text()
    assert [each for each in names if f"`{each}`" not in text] == []


@pytest.mark.parametrize("board", BOARDS, ids=lambda each: each.stem)
def test_a_dashboard_can_be_read_by_who_did_not_make_it(board: Path) -> None:
    told = json.loads(board.read_text())
    assert told["uid"] and told["description"]
    assert {each["name"] for each in told["templating"]["list"]} == {"datasource", "market"}
    ids = [each["id"] for each in told["panels"]]
    assert len(set(ids)) == len(ids)
    taken = set[tuple[int, int]]()
    for panel in told["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert at["x"] + at["w"] <= 24 and not cells & taken, panel["title"]
        taken |= cells
    for panel in _panels(board):
        assert panel["title"] and panel["description"].endswith("."), panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"]
        assert panel["datasource"]["uid"] == "${datasource}"
        assert all(each["legendFormat"] for each in panel["targets"])


def test_every_metric_of_the_work_is_on_a_dashboard() -> None:
    shown = {
        name
        for board in BOARDS
        for panel in _panels(board)
        for target in panel["targets"]
        for name, _ in _named(target["expr"])
    }
    for each in FAMILIES:
        assert any(name.startswith(each.name) for name in shown), f"{each.name} is on no dashboard"


@pytest.mark.skipif(shutil.which("promtool") is None, reason="Debian: apt-get install prometheus")
def test_promtool_agrees() -> None:
    for words in (
        ["check", "config", str(DEPLOY / "prometheus" / "prometheus.yml")],
        ["test", "rules", str(HERE / "tests" / "deploy" / "alerts_test.yml")],
    ):
        done = subprocess.run(["promtool", *words], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
