"""`deploy/compose.yaml` and its cluster: by the specification, and naming what there is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from compose_spec import PyCompose

from dispatcher.security import key_files
from dispatcher.serve import embedded
from tests.deploy.parts import DEPLOY, PAGES, ROOT, USER, durable, made_secrets, refuse_unknown_command
from tests.deploy.parts import refuse_unknown_settings as refuse_unknown

FILES = ("compose.yaml", "compose.cluster.yaml", "compose.apart.yaml")
DOCKERFILE = (ROOT / "Dockerfile").read_text()


def read(name: str) -> dict[str, Any]:
    """With the values that its variables have unless they are set."""
    return yaml.safe_load(re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", (DEPLOY / name).read_text()))


BASE, CLUSTER, APART = (read(name) for name in FILES)
OURS = {name: each for name, each in BASE["services"].items() if each.get("build")}
VALKEYS = {
    name: each for file in (BASE, CLUSTER) for name, each in file["services"].items() if "valkey-" in name
}


@pytest.mark.parametrize("file", [BASE, CLUSTER, APART], ids=FILES)
def test_it_is_as_the_compose_specification_has_it(file: dict[str, Any]) -> None:
    read = PyCompose.from_yaml(yaml.safe_dump(file))  # raises ValueError, also for a word that is not in it
    if file is BASE:
        read.validate()
    assert set(read.service_names()) == set(file["services"])


def test_two_of_each_role_stand_behind_the_proxy() -> None:
    roles = [tuple(each["command"][2:]) for each in OURS.values()]
    copies = {name: each.get("deploy", {}).get("replicas", 1) for name, each in OURS.items()}
    assert roles.count(("web",)) == 2
    assert copies["matcher"] == copies["worker"] == 2
    upstreams = re.findall(r"(web-\d):8080", (DEPLOY / "compose" / "Caddyfile").read_text())
    assert upstreams == [name for name, each in OURS.items() if "web" in each["command"]]


@pytest.mark.parametrize("name", OURS)
def test_commands_and_settings_are_those_of_the_service(name: str) -> None:
    refuse_unknown_command(OURS[name]["command"])
    refuse_unknown(OURS[name]["environment"])
    refuse_unknown(CLUSTER["services"].get(name, {}).get("environment", {}))


def test_commands_of_roles_apart_are_those_of_the_service() -> None:
    whole = {name: OURS[name] | each for name, each in APART["services"].items()}
    assert [each["command"][2] for each in whole.values()] == ["web", "web", "matcher", "replies", "jobs"]
    for each in whole.values():
        refuse_unknown_command(each["command"])
    apart = whole.keys() - {"web-1", "web-2", "matcher"}
    assert {OURS[name]["deploy"]["replicas"] for name in apart} == {0}
    assert {whole[name]["deploy"]["replicas"] for name in apart} == {2}


def test_every_role_has_the_cluster_for_a_store_where_there_is_one() -> None:
    """Whichever other file is given besides: a service that is not named there would ask one server alone."""
    for name in OURS:
        mine, whole = BASE["services"][name], CLUSTER["services"].get(name, {})
        assert whole["environment"]["DISPATCHER_REDIS_URL"].startswith("redis+cluster://"), name
        assert mine["environment"].keys() >= whole["environment"].keys()
    added = APART["services"].keys() - OURS.keys()
    assert not added


def test_what_is_asked_whether_it_is_well_is_a_page_on_the_image_s_port() -> None:
    asked = [each["healthcheck"].get("test", []) for each in OURS.values()]
    pages = {page for words in asked for page in re.findall(r"127\.0\.0\.1:8080(/\w+)", " ".join(words))}
    assert pages == {"/readyz"}
    assert pages <= PAGES
    assert "EXPOSE 8080" in DOCKERFILE


def test_what_it_mounts_is_there_and_its_secrets_are_made_by_one_command(tmp_path: Path) -> None:
    mounts = [mount for each in (*BASE["services"].values(), *VALKEYS.values()) for mount in each["volumes"]]
    local = {mount.partition(":")[0] for mount in mounts if mount.startswith("./")}
    assert all((DEPLOY / each).is_file() for each in local)
    assert made_secrets(tmp_path / "secrets") == set(BASE["secrets"])
    for name, read in (
        ("token-keys.json", key_files.read_token_keys),
        ("patient-keys.json", key_files.read_patient_keys),
    ):
        copy = tmp_path / name
        copy.write_bytes((tmp_path / "secrets" / name).read_bytes())
        copy.chmod(0o600)
        assert read(copy)


def test_secrets_are_for_the_group_of_the_image_s_user() -> None:
    assert f"--uid {USER}" in DOCKERFILE
    assert f"--gid {USER}" in DOCKERFILE
    assert f"chown 0:{USER}" in (DEPLOY / "compose" / "secrets.sh").read_text()


@pytest.mark.parametrize("name", BASE["services"])
def test_a_container_can_do_no_more_than_it_must(name: str) -> None:
    each = BASE["services"][name]
    assert each["read_only"] is True
    assert each["cap_drop"] == ["ALL"]
    assert each["security_opt"] == ["no-new-privileges:true"]
    assert each["mem_limit"]
    assert "healthcheck" in each


def test_only_the_proxy_is_reached_from_outside() -> None:
    assert [name for name, each in BASE["services"].items() if each.get("ports")] == ["proxy"]
    assert BASE["networks"]["inside"]["internal"] is True
    assert all(each["networks"] == ["inside"] for name, each in BASE["services"].items() if name in VALKEYS)


def test_valkey_is_as_durable_as_the_embedded_one() -> None:
    told = durable((DEPLOY / "compose" / "valkey.conf").read_text())
    wanted = {name: value for name, value in embedded.DURABLE.items() if "rewrite-" not in name}
    assert {name: told[name] for name in wanted} == wanted


def test_every_server_of_the_cluster_is_asked_to_join_it() -> None:
    servers = [name for name in CLUSTER["services"] if name.startswith("valkey-")]
    creating = CLUSTER["services"]["cluster"]
    assert creating["environment"]["NODES"].split() == servers
    assert list(creating["depends_on"]) == servers
    assert all(name in CLUSTER["services"][name]["command"][-1] for name in servers)
