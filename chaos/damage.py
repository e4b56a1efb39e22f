"""One of everything is damaged, each in a market of its own: all else goes on, and the audit finds it.

The whole service runs, and all that is done is done over its public interfaces.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from redis.asyncio import Redis

from chaos.damages import DAMAGES, Damage, spot_in
from chaos.parts import Parts, until_ready, whole
from chaos.trial import Trial
from client.errors import ClientError
from client.platform import PlatformClient
from client.vendor import VendorClient
from contracts.codes import RequestState, Role, TrackingStatus
from contracts.dispatches import StatusUpdate
from dispatcher.audit.auditor import audit
from dispatcher.settings import Markets, Settings
from dispatcher.store.connection import Reader, connect
from dispatcher.store.keys import Keys
from tests.e2e.conftest import token
from tests.e2e.made import post, trip

LIMIT_S, UNITS = 60.0, 1_000
WELL = "well"  # the market where nothing is damaged
SETTLE_S = 0.5


class Town:
    """One market: its ops, its platform, its two vendors. The damage is done to the first one's work."""

    def __init__(self, parts: Parts, name: str) -> None:
        self.name, self.keys = name, Keys(name)
        self.ops, self.platform = (
            PlatformClient(parts.url, token(parts.settings, role), name) for role in (Role.OPS, Role.PLATFORM)
        )
        self.vendors = {
            each: VendorClient(parts.url, token(parts.settings, Role.VENDOR, each), name)
            for each in ("v1", "v2")
        }
        self.acknowledged: list[str] = []

    async def open(self) -> None:
        """Both vendors; of the first one's work there is `old`, and `gone`, whose passenger did not come."""
        for vendor_id in self.vendors:
            await post(self.ops, vendor_id, UNITS)
        await self.ops.put_tuning({"max_attempts": 3}, reason="chaos")
        for request_id in ("old", "gone"):
            await self.serve(request_id, "v1")
        await self.vendors["v1"].report("gone.1", StatusUpdate(status=TrackingStatus.NO_SHOW))

    async def serve(self, request_id: str, vendor_id: str) -> None:
        """A request all the way to its vendor's acceptance."""
        (other,) = self.vendors.keys() - {vendor_id}
        self.acknowledged += await self.platform.submit(trip(request_id, other))
        while (await self.platform.view(request_id)).state is not RequestState.OFFERED:
            await asyncio.sleep(0.05)
        await self.vendors[vendor_id].accept(f"{request_id}.1")

    async def close(self) -> None:
        """Close the connections."""
        await asyncio.gather(*(each.close() for each in (self.ops, self.platform, *self.vendors.values())))


async def damage(trial: Trial) -> None:
    """Each round: all is damaged at once; a further request goes its way; all is mended."""
    names = {each.market: each for each in DAMAGES}
    markets = Markets.parse(",".join(f"{name}=UTC" for name in (WELL, *names)))
    async with (
        whole(Settings(data_dir=trial.folder, port=0, markets=markets)) as parts,
        _towns(parts, markets) as towns,
    ):
        client = connect(parts.redis_url)
        try:
            for number in range(trial.rounds):
                await _round(trial, client, towns, names, number)
                trial.over()
            for town in towns.values():
                trial.report.acknowledged += len(town.acknowledged)
        finally:
            await client.aclose()


@contextlib.asynccontextmanager
async def _towns(parts: Parts, markets: Markets) -> AsyncIterator[dict[str, Town]]:
    await parts.start("supervisor")
    await until_ready(parts.url)
    towns = {name: Town(parts, name) for name in markets}
    try:
        await asyncio.gather(*(each.open() for each in towns.values()))
        yield towns
    finally:
        await asyncio.gather(*(each.close() for each in towns.values()))


async def _round(
    trial: Trial, client: Redis, towns: dict[str, Town], damages: dict[str, Damage], number: int
) -> None:
    kept, hurt = dict[str, bytes | None](), dict[str, str]()
    for name, each in damages.items():
        hurt[name] = key = each.key(await spot_in(client, towns[name].keys))
        kept[name] = await client.dump(key)
        await each.hurt(client, key)
    served = [town for name, town in towns.items() if name == WELL or not damages[name].stops_market]
    await asyncio.gather(*(_served(trial, town, f"more{number}", "damaged") for town in served))
    for name, each in damages.items():
        await _found(trial, client, towns[name], each)
        await _mend(client, each, hurt[name], kept[name])
    with trial.strike():
        await asyncio.gather(*(_served(trial, each, f"after{number}", "mended") for each in towns.values()))
    for town in towns.values():
        trial.judged(
            await audit(Reader(client), town.name, town.acknowledged, streams=True, settle_s=SETTLE_S)
        )


async def _mend(client: Redis, hurt: Damage, key: str, kept: bytes | None) -> None:
    """Put back what stood there, unless there is another way."""
    if hurt.mend is not None:
        await hurt.mend(client, key)
        return
    await client.delete(key)
    if kept is not None:
        await client.restore(key, 0, kept)


async def _found(trial: Trial, client: Redis, town: Town, hurt: Damage) -> None:
    """The audit tells of it, if it is of what an audit looks at."""
    report = await audit(Reader(client), town.name, settle_s=0.0)
    if hurt.audited and not report["findings"]:
        trial.find(f"{town.name}: the audit finds nothing")


async def _served(trial: Trial, town: Town, request_id: str, when: str) -> None:
    try:
        async with asyncio.timeout(LIMIT_S):
            await town.serve(request_id, "v2")
    except (ClientError, TimeoutError) as error:
        trial.find(f"{town.name}, {when}: {request_id} was not served: {type(error).__name__} {error}")
