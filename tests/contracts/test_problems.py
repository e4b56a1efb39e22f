"""Problems on the wire (RFC 9457): what is said, under names that nothing else takes."""

from __future__ import annotations

import msgspec
import pytest

from contracts.problems import RESERVED, InvalidMessage, ProblemDetails, members


def test_the_call_and_the_request_are_told_apart() -> None:
    told = members("invalid-request", "r1 is over", {"request_id": "r1"}, "c1")
    assert (told["request_id"], told["call_id"]) == ("r1", "c1")


@pytest.mark.parametrize("name", sorted(RESERVED))
def test_no_fact_takes_the_place_of_a_member(name: str) -> None:
    plain = members("invalid-request", "it is over", {"state": "failed"}, "c1")
    assert members("invalid-request", "it is over", {"state": "failed", name: 0}, "c1") == plain


def test_what_is_not_said_has_no_member() -> None:
    assert set(members("internal", "")) == {"type", "title", "status"}


def test_a_problem_reads_as_its_schema_says() -> None:
    problem = InvalidMessage.at("/id", "too long")
    read = msgspec.convert(msgspec.to_builtins(problem.members("c1")), ProblemDetails)
    assert (read.type, read.status, read.call_id) == ("/problems/invalid-message", 422, "c1")
    assert [each.pointer for each in read.errors] == ["/id"]
