"""A screening is packed and comes back as it was, to the last bit."""

from dataclasses import fields, replace

import msgpack
import numpy as np
import pytest

from contracts.tuning import Number
from solvers.arrays import arrays_of
from solvers.known_travel import KnownTravel, Pair
from solvers.planning import digest, plan
from solvers.saved import NotSaved, large, pack_plan, pack_screening, small, unpack_plan, unpack_screening
from solvers.screening import Screening
from solvers.travel import DetourTravel, Travel
from tests.solvers.rich_day import model, rich_day
from tests.solvers.town import asked, order, screening, supply, trip, vendor

VALUES: dict[str, Number] = {"price_weight": 2, "lateness_cents_per_minute": 3.5}


def rich() -> Screening:
    return rich_day(VALUES)


def test_what_is_packed_comes_back_with_the_same_digest_model_and_plan() -> None:
    day = rich()
    again = unpack_screening(pack_screening(day))
    assert digest(again) == digest(day)
    assert model(again) == model(day)
    assert pack_plan(plan(again)) == pack_plan(plan(day))


def test_every_array_keeps_its_type_and_shape_and_may_be_written() -> None:
    day, again = rich(), unpack_screening(pack_screening(rich()))
    parts = [(day.facts, again.facts), (day.supply, again.supply), (day.horizon, again.horizon)]
    pairs = [(a[n], b[n]) for x, y in parts for a, b in [(arrays_of(x), arrays_of(y))] for n in a]
    for mine, other in ((day.of_requests, again.of_requests), (day.of_vendors, again.of_vendors)):
        assert list(mine) == list(other)
        pairs += [(mine[code][name], other[code][name]) for code in mine for name in mine[code]]
    for before, after in pairs:
        assert (after.dtype, after.shape) == (before.dtype, before.shape)
        np.testing.assert_array_equal(after, before)
    again.supply.less(*(np.zeros(1, np.int64),) * 3, np.zeros(1, np.int64), np.ones(1, np.int64))


def test_what_was_saved_before_rate_cards_had_deadhead_and_attendants_is_planned_as_it_was() -> None:
    day = rich()
    for arrays, names in ((day.of_vendors, ("deadhead", "attendant")), (day.of_requests, ("attendants",))):
        for name in names:
            del arrays["price"][name]
    again = unpack_screening(pack_screening(day))
    before, now = plan(again), plan(rich())
    np.testing.assert_array_equal(before.cents, now.cents)
    np.testing.assert_array_equal(before.chosen.start_ms, now.chosen.start_ms)


@pytest.mark.parametrize(
    "array",
    [
        np.array([], np.int64),
        np.zeros((3, 0), np.float64),
        np.array([-(2**63), 2**63 - 1]),
        np.array([[np.nan, -0.0], [np.inf, 5e-324]]),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.arange(24).reshape(2, 3, 4)[:, ::2],
        np.array([True, False]),
        np.array(["", "wheelchair"]),
        np.array(7),
    ],
    ids=str,
)
def test_any_array_of_numbers_or_text_comes_back_bit_for_bit(array: np.ndarray) -> None:
    again = large(small(array))
    assert (again.dtype, again.shape) == (array.dtype, array.shape)
    assert again.tobytes() == array.tobytes()
    assert again.flags.f_contiguous == np.array(array, order="K").flags.f_contiguous or array.ndim == 3


def test_numbers_of_the_tuning_stay_whole_or_fractions() -> None:
    values = unpack_screening(pack_screening(rich())).values
    assert [type(values[name]) for name in VALUES] == [int, float]


def test_known_rides_come_back() -> None:
    known = {Pair(5, 9): {h: (600.0 + h, 4_000.0, True) for h in (8, 9)}}
    travel = KnownTravel.of(known, DetourTravel.of({}))  # type: ignore[arg-type]
    day = replace(rich(), travel=travel)
    assert repr(unpack_screening(pack_screening(day)).travel) == repr(travel)


def test_sequences_and_bundles_come_back() -> None:
    box = order("box")
    pair = [replace(asked(trip("a")), bundle="b"), replace(asked(box), bundle="b")]
    day = screening(pair, [vendor("v1")], supply(1))
    again = unpack_screening(pack_screening(day)).sequence
    assert day.sequence is not None and again is not None
    for each in fields(day.sequence):
        np.testing.assert_array_equal(getattr(again, each.name), getattr(day.sequence, each.name))


def test_a_plan_comes_back_and_is_told_from_another() -> None:
    made = plan(rich())
    again = unpack_plan(pack_plan(made))
    assert pack_plan(again) == pack_plan(made)
    assert pack_plan(replace(made, cents=made.cents + 1)) != pack_plan(made)
    assert pack_plan(replace(made, seconds=9.0)) == pack_plan(made)


class Elsewhere:
    """Travel times of a plug-in."""

    def between(self, *_: object) -> Travel:
        raise NotImplementedError


def test_what_came_from_outside_is_refused_by_name() -> None:
    with pytest.raises(NotSaved, match="Elsewhere cannot be saved; known: detour, known"):
        pack_screening(replace(rich(), travel=Elsewhere()))


@pytest.mark.parametrize("damage", [b"", b"\x00" * 40, msgpack.packb([99, b"", b"", b"", b""])], ids=len)
def test_damage_is_told_and_never_crashes(damage: bytes) -> None:
    with pytest.raises(NotSaved):
        unpack_screening(damage)


def test_no_flipped_bit_changes_what_is_read_unnoticed() -> None:
    """Some bits of a compressed frame mean nothing."""
    packed, named = bytearray(pack_screening(rich())), digest(rich())
    refused = 0
    for at in range(len(packed) // 3, len(packed), max(1, len(packed) // 40)):
        broken = bytes(packed[:at]) + bytes([packed[at] ^ 16]) + bytes(packed[at + 1 :])
        try:
            assert digest(unpack_screening(broken)) == named
        except NotSaved:
            refused += 1
    assert refused > 20
