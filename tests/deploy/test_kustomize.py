"""`deploy/kubernetes` as kustomize builds it: the whole is by the schemas, and what it names is there."""

from __future__ import annotations

from typing import Any

import kubernetes_validate
import pytest

from tests.deploy.parts import BUILDS, all_of, built_overlay, refuse_unknown_command, refuse_unknown_settings
from tests.deploy.test_kubernetes import VERSION

pytestmark = pytest.mark.skipif(not BUILDS, reason="neither kustomize nor kubectl is here")
ROLES = {"web", "matcher", "replies", "jobs", "worker"}
PATCHED = {"web", "matcher"}  # replies and jobs have processes of their own


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """The overlay."""
    return built_overlay(tmp_path_factory.mktemp("kustomize"))


def test_the_whole_is_as_kubernetes_has_it(built: list[dict[str, Any]]) -> None:
    """What was patched or made: the rest is as it lies in its file."""
    changed = [each for each in built if each["kind"] in ("Deployment", "ConfigMap", "Secret")]
    assert len(changed) > 10
    for each in changed:
        assert kubernetes_validate.validate(each, VERSION, strict=True)
    assert {each["metadata"].get("namespace") for each in built} <= {"dispatcher", None}


def test_roles_run_as_the_components_leave_them_and_know_their_settings(built: list[dict[str, Any]]) -> None:
    pods = {one["metadata"]["name"]: one["spec"]["template"]["spec"] for one in _of(built, "Deployment")}
    ours = {name: pods[name]["containers"][0] for name in ROLES}
    for one in ours.values():
        refuse_unknown_command(one["args"])
    assert {name for name, one in ours.items() if "--apart" in one["args"]} == PATCHED
    for each in _of(built, "ConfigMap"):
        refuse_unknown_settings(each["data"])


def test_what_pods_are_given_is_there_under_the_names_that_were_made(built: list[dict[str, Any]]) -> None:
    made = {(each["kind"], each["metadata"]["name"]) for each in built}
    files = {
        name: each["data"].keys() for each in built for name in [each["metadata"]["name"]] if "data" in each
    }
    runs = [each for kind in ("Deployment", "StatefulSet", "Job") for each in _of(built, kind)]
    maps = {each["name"] for word in ("configMapRef", "configMap") for each in all_of(runs, word)}
    secrets = list(all_of(runs, "secret"))
    assert {("ConfigMap", each) for each in maps} <= made
    assert {("Secret", each["secretName"]) for each in secrets} <= made
    for each in secrets:
        assert {item["key"] for item in each.get("items", ())} <= files[each["secretName"]]


def _of(built: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [each for each in built if each["kind"] == kind]
