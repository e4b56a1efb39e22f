"""`deploy/kubernetes`: by Kubernetes' own schemas; selectors select; what is named of the service exists."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from dispatcher.serve import embedded
from tests.deploy.parts import DEPLOY, PAGES, USER, all_of, durable, made_secrets, read
from tests.deploy.parts import refuse_unknown_command as refuse_unknown
from tests.deploy.parts import refuse_unknown_settings as refuse_unknown_setting

HERE = DEPLOY / "kubernetes"
VERSION = "1.34"  # its schemas; `preStop.sleep` asks for 1.30
FOLDERS = sorted(each.parent for each in HERE.rglob("kustomization.yaml"))
PLANS = {folder: read(folder / "kustomization.yaml")[0] for folder in FOLDERS}
NAMED = [folder / name for folder, plan in PLANS.items() for name in plan["resources"] if name[0] != "."]
OBJECTS = [(path, each) for path in NAMED for each in read(path)]
NAMES = [f"{each['kind']}-{each['metadata']['name']}" for _, each in OBJECTS]
RUNS = [each for _, each in OBJECTS if each["kind"] in ("Deployment", "StatefulSet", "Job")]
INSIDE = {"/metrics", "/livez", "/readyz"}
KEPT = [each for each in RUNS if each["kind"] != "Job"]
TWICE = [each for each in KEPT if each["metadata"]["name"] != "broker"]  # nothing is lost with that one


def pod(run: Mapping[str, Any]) -> dict[str, Any]:
    return run["spec"]["template"]["spec"]


def labels(run: Mapping[str, Any]) -> dict[str, str]:
    return run["spec"]["template"]["metadata"]["labels"]


def of_kind(kind: str) -> list[dict[str, Any]]:
    return [each for _, each in OBJECTS if each["kind"] == kind]


def containers() -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    return ((run, each) for run in RUNS for each in pod(run)["containers"])


OURS = [(run, each) for run, each in containers() if each["image"] == "dispatcher"]


def web() -> dict[str, Any]:
    return next(one for _, one in OURS if one["name"] == "web")


def generated(kind: str) -> list[dict[str, Any]]:
    """What kustomize makes of settings or secrets."""
    return [each for plan in PLANS.values() for each in plan.get(f"{kind}Generator", ())]


def literals() -> list[dict[str, str]]:
    return [dict(line.split("=", 1) for line in each.get("literals", ())) for each in generated("configMap")]


@pytest.mark.parametrize(("path", "found"), OBJECTS, ids=NAMES)
def test_it_is_as_kubernetes_has_it_without_a_word_that_it_would_pass_over(path: Path, found: Any) -> None:
    assert kubernetes_validate.validate(found, VERSION, strict=True), path


def test_a_misspelt_word_is_found() -> None:
    wrong = yaml.safe_load((HERE / "base" / "matcher.yaml").read_text())
    wrong["spec"]["template"]["spec"]["terminationGracePeriodSecond"] = 1
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, VERSION, strict=True)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda each: each.name)
def test_kustomize_finds_what_is_named_and_nothing_lies_beside_it(folder: Path) -> None:
    plan = PLANS[folder]
    named = [*plan["resources"], *plan.get("components", ())]
    assert all((folder / each).exists() for each in named)
    files = {each for one in plan.get("configMapGenerator", ()) for each in one.get("files", ())}
    there = {each.name for each in folder.glob("*.*") if each.is_file() and each.name[0] != "."}
    assert there - {"kustomization.yaml"} == {each for each in named if each[0] != "."} | files


@pytest.mark.parametrize(("run", "one"), list(containers()), ids=lambda each: each.get("kind", "container"))
def test_a_container_can_do_no_more_than_it_must(run: dict[str, Any], one: dict[str, Any]) -> None:
    spec, rights = pod(run), one["securityContext"]
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["runAsUser"] > 0
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert rights["readOnlyRootFilesystem"] is True
    assert rights["allowPrivilegeEscalation"] is False
    assert rights["capabilities"] == {"drop": ["ALL"]}
    assert spec["automountServiceAccountToken"] is False
    assert one["resources"]["limits"]["memory"]


def test_links_to_services_do_not_pose_as_settings() -> None:
    """A service called `dispatcher` would give each pod DISPATCHER_PORT=tcp://…, and stop its start."""
    assert all(pod(run)["enableServiceLinks"] is False for run in RUNS)


def test_commands_are_those_of_the_service_under_the_image_s_user() -> None:
    roles = {one["name"]: one["args"] for _, one in OURS}
    assert {"web", "matcher", "replies", "jobs", "worker"} == roles.keys()
    for run, one in OURS:
        refuse_unknown(one["args"])
        told = pod(run)["securityContext"]
        assert (told["runAsUser"], told["fsGroup"]) == (USER, USER)


def test_what_is_put_in_a_command_s_place_is_one_too() -> None:
    patches = [each["patch"] for plan in PLANS.values() for each in plan.get("patches", ())]
    changed = [one for text in patches for one in yaml.safe_load(text)]
    assert changed
    for one in changed:
        assert one["path"].endswith("/args")
        refuse_unknown(one["value"])


def test_settings_are_those_of_the_service() -> None:
    told: dict[str, str] = {}
    for each in literals():
        refuse_unknown_setting(each)
        told |= each
    assert int(told["DISPATCHER_PORT"]) == web()["ports"][0]["containerPort"]


def test_probes_ask_pages_that_there_are_on_a_port_that_is_named() -> None:
    for _, one in containers():
        ports = {each["name"] for each in one.get("ports", ())}
        for probe in all_of(one, "httpGet"):
            assert probe["path"] in PAGES
            assert probe["port"] in ports
    asked = {name: web()[f"{name}Probe"]["httpGet"]["path"] for name in ("startup", "liveness", "readiness")}
    assert asked == {"startup": "/livez", "liveness": "/livez", "readiness": "/readyz"}


def test_the_ingress_leads_to_every_page_but_those_for_machines_inside() -> None:
    (ingress,) = of_kind("Ingress")
    paths = [each for rule in ingress["spec"]["rules"] for each in rule["http"]["paths"]]

    def leads(page: str) -> bool:
        """As Kubernetes compares: a prefix ends at a slash."""
        beyond = {"Exact": (), "Prefix": ("/",)}
        return any(
            page == each["path"]
            or any(page.startswith(each["path"] + end) for end in beyond[each["pathType"]])
            for each in paths
        )

    of_the_console = {
        "/",
        "/console",
        "/console/metro/today",
        "/vendor",
        "/vendor/worker.js",
        "/docs/docs.js",
    }
    assert {page for page in PAGES | of_the_console if not leads(page)} == INSIDE


def test_every_selector_selects_a_pod() -> None:
    pods = [labels(run).items() for run in RUNS]
    found = [each for each in all_of([one for _, one in OBJECTS], "matchLabels") if not is_outside(each)]
    services = [each["spec"]["selector"] for each in of_kind("Service")]
    assert len(found) > 10
    for each in (*found, *services):
        assert any(each.items() <= one for one in pods), each


def is_outside(one: Mapping[str, str]) -> bool:
    return "kubernetes.io/metadata.name" in one or "k8s-app" in one


@pytest.mark.parametrize("run", TWICE, ids=lambda run: run["metadata"]["name"])
def test_what_runs_is_spread_and_is_taken_away_one_by_one(run: dict[str, Any]) -> None:
    budgets = {each["metadata"]["name"]: each for each in of_kind("PodDisruptionBudget")}
    budget = budgets[run["metadata"]["name"]]
    assert budget["spec"]["selector"]["matchLabels"].items() <= labels(run).items()
    assert budget["spec"]["maxUnavailable"] == 1
    assert run["spec"]["replicas"] >= 2
    spread = {each["topologyKey"] for each in pod(run)["topologySpreadConstraints"]}
    assert spread == {"topology.kubernetes.io/zone", "kubernetes.io/hostname"}


def test_what_is_scaled_exists_and_is_scaled_by_what_is_measured() -> None:
    rules = all_of(read(DEPLOY / "prometheus" / "scaling.yml"), "record")
    scalers = of_kind("HorizontalPodAutoscaler")
    names = {(each["kind"], each["metadata"]["name"]): each for each in RUNS}
    for each in scalers:
        target = each["spec"]["scaleTargetRef"]
        assert names[target["kind"], target["name"]]["spec"]["replicas"] >= each["spec"]["minReplicas"]
    assert {one["metric"]["name"] for one in all_of(scalers, "external")} == set(rules)


def test_nothing_goes_in_or_out_but_what_a_policy_names() -> None:
    policies = {each["metadata"]["name"]: each["spec"] for each in of_kind("NetworkPolicy")}
    assert policies["deny-all"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    assert {run["metadata"]["name"] for run in KEPT} <= policies.keys()


def _goes(policy: dict[str, Any], way: str, one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    """Whether a policy of one pod lets it reach the other (`to`), or be reached by it (`from`)."""
    rules = policy.get("egress" if way == "to" else "ingress", ())
    named = [each["podSelector"] for rule in rules for each in rule.get(way, ()) if "podSelector" in each]
    return _chosen(policy["podSelector"], one) and any(_chosen(each, other) for each in named)


def _chosen(selector: Mapping[str, Any], found: Mapping[str, str]) -> bool:
    words = selector.get("matchExpressions", ())
    return selector.get("matchLabels", {}).items() <= found.items() and all(
        found.get(each["key"]) in each["values"] for each in words
    )


ASKED = {"valkey": {"web", "matcher", "replies", "jobs", "worker"}, "broker": {"matcher", "jobs", "worker"}}


@pytest.mark.parametrize("server", ASKED)
def test_who_asks_a_server_may_go_there_and_is_let_in_and_nobody_else(server: str) -> None:
    """The whole, as the overlay has it: jobs compare what-ifs on workers, too."""
    pods = {run["metadata"]["name"]: labels(run) for run in KEPT}
    policies = [each["spec"] for each in of_kind("NetworkPolicy")]
    ours = pods.keys() - ASKED.keys()
    for way, (one, other) in {"to": (0, 1), "from": (1, 0)}.items():
        let = {
            name
            for name in ours
            for ends in [(pods[name], pods[server])]
            if any(_goes(each, way, ends[one], ends[other]) for each in policies)
        }
        assert let == ASKED[server]


def test_what_is_mounted_of_secrets_is_made_by_one_command(tmp_path: Path) -> None:
    made = made_secrets(tmp_path / "secrets")
    listed = {each["name"]: {Path(file).name for file in each["files"]} for each in generated("secret")}
    assert {
        each["secretName"] for run in RUNS for each in all_of(pod(run)["volumes"], "secret")
    } <= listed.keys()
    assert set.union(*listed.values()) == made
    where = next(each["mountPath"] for each in web()["volumeMounts"] if each["name"] == "keys")
    told = {value for each in literals() for value in each.values()}
    assert {f"{where}/{name}" for name in listed["dispatcher-keys"]} <= told


def test_valkey_is_as_durable_as_the_embedded_one() -> None:
    told = durable((HERE / "components" / "valkey-cluster" / "valkey.conf").read_text())
    wanted = {name: value for name, value in embedded.DURABLE.items() if "rewrite-" not in name}
    assert {name: told[name] for name in wanted} == wanted
    run = next(each for each in KEPT if each["kind"] == "StatefulSet")
    servers = " ".join(map(str, range(run["spec"]["replicas"])))
    assert f"for at in {servers};" in (HERE / "components" / "valkey-cluster" / "create.yaml").read_text()
