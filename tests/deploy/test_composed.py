"""What the Compose files start, started: a request over TLS is offered, and each part may be replaced."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import os
import shutil
import socket
import ssl
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from pathlib import Path

import aiohttp
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from msgspec.structs import replace

from client.ops import OpsClient
from client.platform import PlatformClient
from contracts.codes import RequestState, Role
from contracts.geo import Window
from contracts.requests import TripRequest
from dispatcher.settings import Settings
from tests.bucket import bucket, object_store  # noqa: F401  (fixtures)
from tests.deploy.compose_files import services
from tests.deploy.composed import LIMIT_S, Composed
from tests.deploy.containers import DATA, HTTPS, NEEDED
from tests.deploy.parts import BUILDS, DEPLOY, ROOT, built_overlay
from tests.deploy.pods import PORT, as_services
from tests.e2e.conftest import MARKET, token
from tests.e2e.made import post, trip
from tests.examples import USUAL

lacking = [each for each in NEEDED if shutil.which(each) is None]
pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="all of 127.0.0.0/8 is this machine's"),
    pytest.mark.skipif(
        bool(lacking), reason=f"Debian: apt-get install caddy redis-tools ({lacking} missing)"
    ),
    pytest.mark.timeout(900),
]
TOGETHER = (
    ("compose.yaml",),
    ("compose.yaml", "compose.apart.yaml"),
    ("compose.yaml", "compose.cluster.yaml"),
    ("compose.yaml", "compose.cluster.yaml", "compose.apart.yaml"),
)
AHEAD = dt.timedelta(hours=5)  # not imminent: a batch, which goes to a worker
ROOT_CERTIFICATE = "caddy/pki/authorities/local/root.crt"
REPLACED = ("web-1", "web-2", "matcher", "worker", "broker")


@pytest.fixture(autouse=True)
def long_run(pytestconfig: pytest.Config) -> None:
    if pytestconfig.getoption("rounds") <= USUAL:
        pytest.skip("up to 17 processes: only where many rounds are wanted")


@pytest.mark.parametrize("files", TOGETHER, ids="+".join)
async def test_all_of_it_takes_a_request_over_tls_and_offers_it_whatever_is_replaced(
    files: Sequence[str], tmp_path: Path
) -> None:
    async with Composed(services([DEPLOY / each for each in files]), DEPLOY, tmp_path) as composed:
        (proxy,) = composed.containers["proxy"]
        trusted = ssl.create_default_context(cafile=proxy.places[DATA] / ROOT_CERTIFICATE)
        made = partial(aiohttp.TCPConnector, ssl=trusted, resolver=Names(proxy.address))
        url = f"https://localhost:{HTTPS}"  # as SITE has it
        async with platform_and_ops(composed.settings("web-1"), url, made) as (platform, ops):
            await post(ops, "v1", units=100)
            ids = await solved_by_a_worker(composed, platform)
            for name in REPLACED:
                assert set(await composed.stop(name)) == {0}, f"{name}: {composed.said()[-4_000:]}"
                ids += await platform.submit(ride(f"without-{name}"))
                await composed.start(name)
                await until_offered(platform, ids[-1])
            async with platform.session.get(f"{url}/readyz") as hidden:
                assert hidden.status == 404
        await audited(composed, "web-1", ids)


async def test_the_service_beside_a_valkey_takes_a_request_and_offers_it(tmp_path: Path) -> None:
    async with Composed(services([ROOT / "compose.yaml"]), ROOT, tmp_path) as composed:
        url = f"http://{composed.containers['dispatcher'][0].address}:8080"
        async with platform_and_ops(composed.settings("dispatcher"), url) as (platform, ops):
            await post(ops, "v1", units=100)
            ids = [await offered(platform, "one")]
        await audited(composed, "dispatcher", ids)


@pytest.mark.skipif(not BUILDS, reason="neither kustomize nor kubectl is here")
async def test_pods_of_the_whole_overlay_take_a_request_and_offer_it(
    bucket: str,  # noqa: F811
    tmp_path: Path,
) -> None:
    """Without its ingress, web is called directly; the object store is a server of this test's."""
    boto3 = pytest.importorskip("boto3")
    boto3.client("s3", endpoint_url=os.environ["AWS_ENDPOINT_URL"]).create_bucket(Bucket="dispatcher")
    settings = tmp_path / "settings"
    async with Composed(as_services(built_overlay(tmp_path), settings), settings, tmp_path) as composed:
        url = f"http://{composed.containers['web'][1].address}:{PORT}"
        async with platform_and_ops(composed.settings("web"), url) as (platform, ops):
            await post(ops, "v1", units=100)
            ids = await solved_by_a_worker(composed, platform)
        await audited(composed, "web", ids)


def ride(name: str) -> TripRequest:
    then = dt.datetime.now(dt.UTC) + AHEAD
    return replace(trip(name), pickup_window=Window(earliest=then, latest=then + dt.timedelta(minutes=30)))


async def offered(platform: PlatformClient, name: str) -> str:
    """Its id, once it was submitted and offered."""
    (found,) = await platform.submit(ride(name))
    await until_offered(platform, found)
    return found


async def solved_by_a_worker(composed: Composed, platform: PlatformClient) -> list[str]:
    """Ids of what was offered until a worker had solved for one: they announce themselves in their time."""
    ids = list[str]()
    async with asyncio.timeout(LIMIT_S):
        while '"task_done"' not in composed.said():
            ids.append(await offered(platform, f"r{len(ids)}"))
    return ids


async def until_offered(platform: PlatformClient, name: str) -> None:
    async with asyncio.timeout(LIMIT_S):
        while (await platform.view(name)).state is not RequestState.OFFERED:
            await asyncio.sleep(0.05)


async def audited(composed: Composed, name: str, ids: Sequence[str]) -> None:
    """By a container of that service: all that was acknowledged is there, and sound. And all still run."""
    assert composed.ended() == set(), composed.said()[-4_000:]
    listed = composed.folder / "ids"
    listed.write_text("\n".join(ids))
    assert await composed.done(name, "dispatcher", "audit", "--streams", "--ids", str(listed)) == 0, (
        composed.said()
    )


@contextlib.asynccontextmanager
async def platform_and_ops(
    settings: Settings, url: str, made: Callable[[], aiohttp.TCPConnector] = aiohttp.TCPConnector
) -> AsyncIterator[tuple[PlatformClient, OpsClient]]:
    """Who calls, each over a connector that is `made`."""

    class Platform(PlatformClient):
        def _made(self, connector: aiohttp.TCPConnector) -> aiohttp.ClientSession:
            return super()._made(made())

    class Ops(OpsClient):
        def _made(self, connector: aiohttp.TCPConnector) -> aiohttp.ClientSession:
            return super()._made(made())

    platform = Platform(url, token(settings, Role.PLATFORM), MARKET)
    ops = Ops(url, token(settings, Role.OPS), MARKET)
    async with platform, ops:
        yield platform, ops


class Names(AbstractResolver):
    """Whatever is asked for is at that address."""

    def __init__(self, address: str) -> None:
        self.address = address

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = ResolveResult(
            hostname=host, host=self.address, port=port, family=socket.AF_INET, proto=0, flags=0
        )
        return [found]

    async def close(self) -> None:
        """Nothing is open."""
