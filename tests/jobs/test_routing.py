"""That the matcher's routing server fails is told in the store, until it answers."""

import asyncio
import itertools

from dispatcher.jobs.routing import tell_routing
from dispatcher.security.key_files import PatientKeyFile
from dispatcher.serve.embedded import EmbeddedRedis
from dispatcher.service.loops import ROUTING, TROUBLES
from dispatcher.store.store import Store
from dispatcher.travel.engine import Engine
from dispatcher.travel.url import TravelUrl

_numbers = itertools.count()


async def test_a_routing_server_that_fails_is_a_trouble_until_it_answers(redis_server: EmbeddedRedis) -> None:
    engine = Engine(TravelUrl.parse("valhalla+http://roads"))
    async with Store(redis_server.url, PatientKeyFile("dev", {"dev": bytes(32)})) as store:
        market = f"routing{next(_numbers)}"
        troubles = store.market(market).troubles
        await troubles.tell(ROUTING, "of a process before us")
        telling = asyncio.create_task(tell_routing(store, [market], engine))
        try:
            async with asyncio.timeout(20):
                while await troubles.now(TROUBLES):
                    await asyncio.sleep(0.005)
                engine.breaker.failed("TimeoutError", 0.0)
                engine.changed.set()
                while await troubles.now(TROUBLES) != {ROUTING: "TimeoutError"}:
                    await asyncio.sleep(0.005)
                engine.breaker.worked()
                engine.changed.set()
                while await troubles.now(TROUBLES):
                    await asyncio.sleep(0.005)
        finally:
            telling.cancel()
            await asyncio.gather(telling, return_exceptions=True)
        assert (await troubles.counts())[f"failed:{ROUTING}"] == 1
