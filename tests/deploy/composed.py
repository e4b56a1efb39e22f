"""All containers of some services, started in their order; ended in order when it is left."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from dispatcher.settings import Settings
from tests.deploy.containers import SECRETS, Container, caddyfile, stand_for_images
from tests.deploy.parts import made_secrets

LIMIT_S = 120.0
OWN = "own"  # a volume that no other container has
HEALTHY, DONE = "service_healthy", "service_completed_successfully"


class Composed:
    """Each service has eight addresses of a net of 127.0.0.0/8, one for each of its containers."""

    def __init__(self, services: Mapping[str, dict[str, Any]], home: Path, folder: Path) -> None:
        """`home`: where files that they mount lie; `folder`: for all that is made."""
        self.services, self.home, self.folder = services, home, folder
        self.log, self._bin = folder / "log", folder / "bin"
        net = f"127.{20 + secrets.randbelow(200)}.{secrets.randbelow(250)}"
        self._first = {name: (net, 8 * number + 8) for number, name in enumerate(self.services)}
        asked = {other for _, other, how in self._needs() if how == HEALTHY}
        self._names = {name: f"{net}.{first}" for name, (net, first) in self._first.items() if name in asked}
        self.containers = {
            name: [self._container(name, nth) for nth in range(_copies(each))]
            for name, each in self.services.items()
        }

    async def __aenter__(self) -> Self:
        """Each once what it depends on is well. Raises AssertionError."""
        stand_for_images(self._bin, self._names)
        for each in made_secrets(self.folder / "secrets"):
            (self.folder / "secrets" / each).chmod(0o600)  # ours: the image's group is not here
        try:
            for name in self._in_order():
                await self.start(name)
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(self, *ended: object) -> None:
        await self.stop()

    async def start(self, name: str) -> None:
        """The containers of a service, until they are well. Raises AssertionError."""
        for each in self.containers[name]:
            each.process = await each.run(each.command, self._bin, self.log)
            if name in self._once():
                assert await each.process.wait() == 0, f"{name} failed: {self.said()}"
            elif each.check is not None:
                await self._well(name, each, each.check)

    async def stop(self, *names: str) -> list[int | None]:
        """In order: exit codes of all of a service, or of all services."""
        each = [one for name in names or [*self._in_order()][::-1] for one in self.containers[name]]
        return [await one.end() for one in each]

    async def done(self, name: str, *words: str) -> int:
        """The exit code of a command in a container of that service."""
        process = await self.containers[name][0].run(words, self._bin, self.log)
        return await asyncio.wait_for(process.wait(), LIMIT_S)

    def settings(self, name: str) -> Settings:
        """What a container of the service is told."""
        return Settings.read(self.containers[name][0].environment)

    def said(self) -> str:
        """What they all have said."""
        return self.log.read_text(errors="replace")

    def ended(self) -> set[str]:
        """Services of which one has ended, though it is not there to do something and end."""
        every = ((name, one.process) for name, some in self.containers.items() for one in some)
        return {name for name, one in every if one is not None and one.returncode is not None} - self._once()

    async def _well(self, name: str, container: Container, check: Sequence[str]) -> None:
        """Until its health check says so."""
        until_s, process = time.monotonic() + LIMIT_S, container.process
        while await (await container.run(check, self._bin, self.folder / "checks")).wait():
            is_over = process is None or process.returncode is not None or time.monotonic() > until_s
            assert not is_over, f"{name} is not well: {self.said()[-4_000:]}"
            await asyncio.sleep(0.2)

    def _container(self, name: str, nth: int) -> Container:
        """With a folder for each of its places, and its files with this machine's names in them."""
        net, first = self._first[name]
        service, address = self.services[name], f"{net}.{first + nth}"
        mounts = [each.split(":")[:2] for each in service.get("volumes", ())]
        own, volumes = self.folder / "files" / address, self.folder / "volumes"
        places = {
            to: own / to[1:] if _is_file(what) or what == OWN else volumes / what for what, to in mounts
        }
        secret = dict.fromkeys(service.get("x-secrets", [SECRETS]), self.folder / "secrets")
        made = Container(service, address, places | secret, self._names)
        for what, to in mounts:
            (places[to].parent if _is_file(what) else places[to]).mkdir(parents=True, exist_ok=True)
            if _is_file(what):
                places[to].write_text(caddyfile(made.words((self.home / what).read_text()), address))
        return made

    def _once(self) -> set[str]:
        return {other for _, other, how in self._needs() if how == DONE}

    def _needs(self) -> Iterator[tuple[str, str, str]]:
        """Who depends on whom, and until when."""
        for name, each in self.services.items():
            for other, how in each.get("depends_on", {}).items():
                yield name, other, how["condition"]

    def _in_order(self) -> Iterator[str]:
        """Each after all that it depends on."""
        needs = {name: {other for one, other, _ in self._needs() if one == name} for name in self.services}
        while needs:
            ready = [name for name, others in needs.items() if not others & needs.keys()]
            assert ready, f"they wait for each other: {', '.join(needs)}"
            yield from ready
            needs = {name: others for name, others in needs.items() if name not in ready}


def _copies(service: dict[str, Any]) -> int:
    found: int = service.get("deploy", {}).get("replicas", 1)
    return found


def _is_file(what: str) -> bool:
    """Of a mount: a file of ours, and no volume."""
    return what.startswith(".")
