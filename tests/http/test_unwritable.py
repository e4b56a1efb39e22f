"""A key that cannot be written: the caller hears which and why, nothing was stored, the others go on."""

from redis.asyncio import Redis

from contracts.codes import Role
from dispatcher.store.connection import connect
from dispatcher.store.keys import Keys
from tests.http.conftest import Api, trip
from tests.http.test_offers import offered

END = f"{(1 << 64) - 1}-{(1 << 64) - 1}"


async def test_a_key_of_another_type_is_a_problem_and_no_bare_500(api: Api) -> None:
    raw, keys = connect(api.store.url), Keys(api.market)
    await raw.set(keys.events, "no stream")
    try:
        status, problem = await api.call("POST", "/requests", trip("a"), Idempotency_Key="k")
        assert (status, problem["type"]) == (503, "/problems/unavailable")
        assert (problem["key"], problem["retry_after_s"]) == (keys.events, 30)
        assert keys.events in problem["detail"]
        assert "WRONGTYPE" in problem["detail"]
        assert (await api.call("GET", "/requests/a"))[0] == 404
        await raw.delete(keys.events)
        assert (await api.call("POST", "/requests", trip("a"), Idempotency_Key="k"))[0] == 202
    finally:
        await raw.aclose()


async def test_an_exhausted_stream_costs_the_caller_nothing_and_is_counted(api: Api) -> None:
    raw: Redis = connect(api.store.url)
    await raw.execute_command("XADD", Keys(api.market).events, END, "poison", "1")
    await raw.aclose()
    assert (await api.call("POST", "/requests", trip("a")))[0] == 202
    async with api.client.get("/metrics") as answer:
        assert f'dispatcher_streams_set_aside{{market="{api.market}"}} 1.0' in await answer.text()


async def test_a_vendor_does_not_hear_which_key_it_is(api: Api) -> None:
    offer_id, ask, events = await offered(api), api.store.reader.ask, Keys(api.market).events
    await ask("RENAME", events, f"{events}:mine")
    await ask("SET", events, "no stream")
    path = f"/offers/{offer_id}/accept"
    status, problem = await api.call("POST", path, {}, role=Role.VENDOR, vendor="v1")
    assert (status, problem["type"], problem["retry_after_s"]) == (503, "/problems/unavailable", 30)
    assert events not in str(problem)
    await ask("RENAME", f"{events}:mine", events)
    assert (await api.call("POST", path, {}, role=Role.VENDOR, vendor="v1"))[0] == 200
