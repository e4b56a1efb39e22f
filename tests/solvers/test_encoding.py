"""Vendors are encoded once; what is known of them beside their documents, by the rule that reads it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from contracts.vendors import Vendor
from dispatcher.tuning.registry import Registry
from solvers.arrays import Arrays, Flags
from solvers.encoding import VendorBook
from solvers.planning import plan
from solvers.rules import registry
from solvers.rules.base import Candidate, PairRule, View
from solvers.screening import ALL_OTHERS
from tests.solvers.town import asked, screening, trip, vendor


class Striking(PairRule):
    """A rule with vendor data of its own; nothing else names it."""

    code = "striking"
    reads = "strikes"

    def of_known(self, vendors: Sequence[Vendor], known: Mapping[str, Any]) -> Arrays:
        return {"works": np.array([not known.get(each.id, False) for each in vendors], np.bool_)}

    def mask(self, view: View) -> Flags:
        return view.vendor["works"][None, :]

    def permits(self, one: Candidate) -> bool:
        return not one.known.get(self.reads, False)


@pytest.fixture
def striking() -> Iterator[None]:
    with registry.with_rule(Striking()):
        yield


@pytest.mark.usefixtures("striking")
def test_a_rule_with_vendor_data_of_its_own_needs_no_other_file() -> None:
    both = [vendor("v1"), vendor("v2")]
    found = plan(screening([asked(trip())], both, known={"strikes": {"v1": True}}))
    assert found.chosen.vendor.tolist() == [1]
    assert dict(zip(found.codes, found.removed[0].tolist(), strict=True))["striking"] == 1


@pytest.mark.usefixtures("striking")
def test_only_the_rules_that_read_what_changed_encode_again() -> None:
    book = VendorBook.of([vendor("v1"), vendor("v2")], {"scorecards": {"v1": 0.5}})
    after = book.knowing({"scorecards": {"v1": 0.5}, "strikes": {"v2": True}})
    assert {code for code in book.arrays if after.arrays[code] is not book.arrays[code]} == {"striking"}
    assert after.digest != book.digest
    assert after.known_of("v2") == {ALL_OTHERS: {}, "strikes": True}


def test_a_screening_holds_every_value_that_a_solver_reads_set_or_not() -> None:
    """Another version's defaults are not what it was made with."""
    read = Registry.found(["solvers"]).parameters
    assert {"price_weight", "start_step_minutes", "acceptance_cents"} <= read.keys()
    made = screening([asked(trip())], [vendor("v1")], values={"price_weight": 3}).values
    assert made == {name: each.default for name, each in read.items()} | {"price_weight": 3}


def test_what_no_rule_reads_and_what_stayed_encodes_nothing() -> None:
    book = VendorBook.of([vendor("v1")], {"scorecards": {"v1": 0.5}})
    assert book.knowing({"scorecards": {"v1": 0.5}, "weather": {"v1": "fair"}}) is book


def test_a_book_that_learns_is_the_book_of_one_that_knew() -> None:
    vendors, known = [vendor("v1"), vendor("v2")], {"scorecards": {"v2": 0.25}}
    learnt, knew = VendorBook.of(vendors).knowing(known), VendorBook.of(vendors, known)
    assert learnt.digest == knew.digest
    np.testing.assert_array_equal(learnt.arrays["scorecard"]["share"], [np.nan, 0.25])
