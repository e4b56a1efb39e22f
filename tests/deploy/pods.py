"""Pods of built manifests as services of a Compose file: so their containers are started as those are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.deploy.composed import DONE, HEALTHY

Words = Mapping[str, Any]
PORT = 8080  # a test holds probes to it


def as_services(built: Sequence[Words], home: Path) -> dict[str, dict[str, Any]]:
    """All that runs, by the names under which pods are found. Settings' files are written to `home`."""
    maps = {each["metadata"]["name"]: each["data"] for each in built if each["kind"] == "ConfigMap"}
    for name, data in maps.items():
        for file, text in data.items():
            (home / name).mkdir(parents=True, exist_ok=True)
            (home / name / file).write_text(text)
    servers = dict(_servers(built, maps))
    jobs = {one["metadata"]["name"]: _service(one, maps) for one in _of(built, "Job")}
    ours = {
        one["metadata"]["name"]: _service(one, maps)
        for one in _of(built, "Deployment")
        if one["metadata"]["name"] not in servers
    }
    for each in jobs.values():
        each["depends_on"] = {name: {"condition": HEALTHY} for name in servers}
    for each in ours.values():
        each["depends_on"] = {name: {"condition": DONE} for name in jobs}
        each["build"] = "."
    return servers | jobs | ours


def _servers(built: Sequence[Words], maps: Mapping[str, Words]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Those that others depend on: each pod of a set by a name of its own, and the broker."""
    for one in _of(built, "StatefulSet"):
        for nth in range(one["spec"]["replicas"]):
            pod = f"{one['metadata']['name']}-{nth}"
            yield f"{pod}.{one['spec']['serviceName']}", _service(one, maps, pod) | {"deploy": {}}
    for one in _of(built, "Deployment"):
        if one["metadata"]["name"] == "broker":
            yield "broker", _service(one, maps)


def _service(one: Words, maps: Mapping[str, Words], pod: str = "") -> dict[str, Any]:
    spec = one["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    volumes = {each["name"]: each for each in spec.get("volumes", ())}
    mounts = {each["name"]: each["mountPath"] for each in container.get("volumeMounts", ())}
    environment = dict[str, str]()
    for each in container.get("envFrom", ()):
        environment |= maps[each["configMapRef"]["name"]] if "configMapRef" in each else {}
    command = [str(each).replace("$(NAME)", pod) for each in container.get("args", ())]
    return {
        "image": container["image"],
        "entrypoint": container.get("command", []),
        "command": command,
        "environment": environment,
        "healthcheck": _check(container.get("readinessProbe")),
        "stop_grace_period": f"{spec.get('terminationGracePeriodSeconds', 30)}s",
        "deploy": {"replicas": one["spec"].get("replicas", 1)},
        "volumes": list(_mounted(volumes, mounts, maps)),
        "x-secrets": [place for name, place in mounts.items() if "secret" in volumes.get(name, ())],
    }


def _mounted(volumes: Words, mounts: Words, maps: Mapping[str, Words]) -> Iterator[str]:
    """Files of settings; and folders, which no other pod has."""
    for name, place in mounts.items():
        if "configMap" in (volume := volumes.get(name, {})):
            of = volume["configMap"]["name"]
            yield from (f"./{of}/{file}:{place}/{file}" for file in maps[of])
        elif "secret" not in volume and place != "/tmp":
            yield f"own:{place}"


def _check(probe: Words | None) -> dict[str, Any]:
    if probe is None:
        return {"disable": True}
    if "exec" in probe:
        return {"test": ["CMD", *probe["exec"]["command"]]}
    page = f"http://127.0.0.1:{PORT}{probe['httpGet']['path']}"
    return {"test": ["CMD", "wget", "-q", "-O", "/dev/null", page]}


def _of(built: Sequence[Words], kind: str) -> list[Words]:
    return [each for each in built if each["kind"] == kind]
