"""Our packing of commands is the client's, only faster."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.asyncio.connection import Connection

from dispatcher.store.resp import pack

CLIENT = Connection()  # never connected: it packs alike for ever, and making one costs more than an example
texts = st.text(st.characters(codec="utf-8"), max_size=64)
words = st.one_of(st.binary(max_size=64), texts, st.integers(-(2**63), 2**63 - 1))


# Nothing here waits for anything: how long the drawing takes says how slow the machine is, no more.
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(words, max_size=8).map(lambda some: ["EVALSHA", *some]))
def test_a_command_is_packed_as_the_client_packs_it(command: list[bytes | str | int]) -> None:
    assert pack(command) == b"".join(CLIENT.pack_command(*command))
