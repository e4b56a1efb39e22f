"""A container as a process of this machine: its address is on the loopback, its places are folders here.

What its service says is what is started: command, environment, mounted files, health check. Only paths and
names are put in the place of those that an engine would give. Rights, networks and limits are not tried.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import shlex
import shutil
import sys
from asyncio.subprocess import Process
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dispatcher.runtime.parent_death import die_with_parent
from dispatcher.serve.embedded import find_server
from dispatcher.serve.processes import own_environment
from tests.deploy.parts import ROOT

HTTPS = 8443  # anybody may have it
CADDY = ("caddy", "run", "--config", "/etc/caddy/Caddyfile", "--adapter", "caddyfile")  # its image's
DOCKERFILE = (ROOT / "Dockerfile").read_text().rpartition("\nFROM ")[2]
NEEDED = ("caddy", "redis-cli", "wget")
ADDRESS = "OWN_ADDRESS"
SECRETS, DATA, CONFIG = "/run/secrets", "/data", "/config"


class Container:
    """One of a service. `places`: where its paths are here; `names`: addresses of those that it may name."""

    def __init__(
        self, service: Mapping[str, Any], address: str, places: Mapping[str, Path], names: Mapping[str, str]
    ) -> None:
        self.service, self.address, self.places, self.names = service, address, places, names
        self.process: Process | None = None

    @property
    def is_ours(self) -> bool:
        """Whether it is of the service's image."""
        return "build" in self.service

    @property
    def command(self) -> list[str]:
        """What runs in it."""
        told = [str(each) for each in self.service.get("command", ())]
        if self.is_ours:
            told = ["dispatcher", *(told or _list("CMD"))]
        elif "caddy" in self.service["image"]:
            told = list(CADDY)
        elif "valkey-server" in told:
            told += ["--bind", self.address, "--bind-source-addr", self.address]
        return [self.words(each) for each in (*self.service.get("entrypoint", ()), *told)]

    @property
    def environment(self) -> dict[str, str]:
        """The image's, and what the service is told besides."""
        image = dict(re.findall(r"(DISPATCHER_\w+)=(\S+)", _said("ENV"))) if self.is_ours else {}
        told = image | {name: str(each) for name, each in self.service.get("environment", {}).items()}
        return {name: self.words(each) for name, each in told.items()}

    @property
    def check(self) -> list[str] | None:
        """What is asked whether it is well; None: nothing."""
        said = self.service.get("healthcheck") or {}
        if said.get("disable") or not (said or self.is_ours):
            return None
        kind, *words = map(self.words, said.get("test") or ["CMD", *_list(r"\s+CMD")])
        return words if kind == "CMD" else ["sh", "-c", *words]

    def words(self, text: str) -> str:
        """With this machine's paths and addresses."""
        for place, here in self.places.items():
            text = re.sub(rf"(?<![\w.]){place}(?=[/\"'\s)]|$)", str(here), text)
        for name, address in self.names.items():
            text = re.sub(rf"(?<![\w.-])(?:(?<=//)|(?<!/)){name}(?=[:,\s\"')]|$)", address, text)
        return text.replace("127.0.0.1:", f"{self.address}:").replace("0.0.0.0", self.address)

    async def run(self, words: Sequence[str], bin_: Path, log: Path) -> Process:
        """A command in it."""
        kept = {name: each for name, each in own_environment().items() if not name.startswith("DISPATCHER_")}
        kept |= {"PATH": f"{bin_}:{kept['PATH']}", ADDRESS: self.address}
        for name, place in (("XDG_DATA_HOME", DATA), ("XDG_CONFIG_HOME", CONFIG)):
            kept |= {name: str(self.places[place])} if CONFIG in self.places else {}
        with log.open("ab") as out:
            return await asyncio.create_subprocess_exec(
                *words, env=kept | self.environment, cwd=self.places.get(DATA), stdout=out, stderr=out,
                start_new_session=True, preexec_fn=die_with_parent(),
            )  # fmt: skip

    async def end(self) -> int | None:
        """In order, in its time: its exit code; -9 if it took longer. None: it was not started."""
        if self.process is None:
            return None
        with contextlib.suppress(ProcessLookupError):
            self.process.terminate()
        try:
            grace_s = float(self.service.get("stop_grace_period", "10s").rstrip("s"))
            return await asyncio.wait_for(self.process.wait(), grace_s)
        except TimeoutError:
            self.process.kill()
            return await self.process.wait()


def stand_for_images(bin_: Path, names: Mapping[str, str]) -> None:
    """What images have, by programs of this machine; and the names that an engine would know."""
    python, client = shlex.quote(sys.executable), shutil.which("redis-cli")
    scripts = {
        "python": f'exec {python} "$@"',
        "dispatcher": f'exec {python} -P -m dispatcher "$@"',
        "valkey-server": f'exec {shlex.quote(str(find_server()))} "$@"',
        "valkey-cli": f'exec {client} -h "${ADDRESS}" "$@"',  # Debian's, of the same protocol
        "getent": "\n".join(f'[ "$2" = {name} ] && set -- hosts {at}' for name, at in names.items())
        + '\necho "$2 $2"',
    }
    bin_.mkdir()
    for name, script in scripts.items():
        (bin_ / name).write_text(f"#!/bin/sh\n{script}\n")
        (bin_ / name).chmod(0o755)


def caddyfile(text: str, address: str) -> str:
    """At its own address, on ports that anybody may have; and nobody is made to trust it."""
    options = ("default_bind " + address, "http_port 8081", f"https_port {HTTPS}", "skip_install_trust")
    return text.replace("{\n\tadmin", "{\n" + "".join(f"\t{each}\n" for each in options) + "\tadmin", 1)


def _said(word: str) -> str:
    """What follows a word of the image's Dockerfile, over its continued lines."""
    found = re.search(rf"^{word} ((?:.*\\\n)*.*)$", DOCKERFILE, re.MULTILINE)
    assert found is not None, word
    return found[1]


def _list(word: str) -> list[str]:
    found: list[str] = json.loads(_said(word))
    return found
