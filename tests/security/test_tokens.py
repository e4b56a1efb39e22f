"""Tokens: a key has one algorithm, a claim means what it says, and nothing else opens the door."""

from __future__ import annotations

import base64
import hmac
import json
import time
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwk, jwt

from contracts.codes import Role
from contracts.problems import Unauthenticated
from dispatcher import cli
from dispatcher.runtime.errors import UserError
from dispatcher.security.key_files import read_token_keys
from dispatcher.security.principal import Principal
from dispatcher.security.tokens import REMEMBERED, Authenticator, claims, mint

NOW_MS = 1_772_000_000_000
PAIR = jwk.ECKey.generate_key("P-256", {"kid": "ec", "alg": "ES256"})
SECRET = jwk.OctKey.generate_key(256, {"kid": "hs", "alg": "HS256"})
PUBLIC: dict[str, Any] = {"keys": [PAIR.as_dict(private=False), SECRET.as_dict(private=True)]}
PRIVATE: dict[str, Any] = {"keys": [PAIR.as_dict(private=True)]}


def said(**changes: Any) -> dict[str, Any]:
    made = claims(Role.PLATFORM, markets=["metro"], vendor_id="", now_ms=NOW_MS, hours=1)
    return {"aud": "dispatcher"} | made | changes


def several(*roles: str, **changes: Any) -> dict[str, Any]:
    """The claims of a token with a list of roles in place of its role."""
    return {key: value for key, value in said().items() if key != "role"} | {"roles": roles} | changes


def signed(content: dict[str, Any], header: dict[str, Any] | None = None, key: Any = SECRET) -> str:
    head = {"alg": "HS256", "kid": "hs"} if header is None else header
    return jwt.encode(head, content, key, algorithms=[head["alg"]])


@pytest.fixture
def authenticator() -> Authenticator:
    return Authenticator(PUBLIC)


def test_a_token_of_either_key_says_who_calls(authenticator: Authenticator) -> None:
    expected = Principal.of(Role.PLATFORM, subject="platform", markets=frozenset({"metro"}))
    assert authenticator.verify(mint(PRIVATE, said()), NOW_MS) == expected
    assert authenticator.verify(signed(said()), NOW_MS) == expected
    assert authenticator.verify(_hmac("HS256", "hs", SECRET.raw_value), NOW_MS) == expected
    assert authenticator.verify(signed(said(aud=["x", "dispatcher"])), NOW_MS) == expected


def _unsigned() -> str:
    return _packed({"alg": "none", "kid": "hs"}) + "."


def _packed(header: dict[str, Any]) -> str:
    return ".".join(_base64(json.dumps(part).encode()) for part in (header, said()))


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _hmac(algorithm: str, key_id: str, secret: bytes) -> str:
    """What a library would refuse to sign."""
    packed = _packed({"alg": algorithm, "kid": key_id})
    digest = {"HS256": "sha256", "HS512": "sha512"}[algorithm]
    return f"{packed}.{_base64(hmac.digest(secret, packed.encode(), digest))}"


def _public_key_as_secret() -> str:
    """The oldest trick: the public key, which all may know, used as an HMAC secret."""
    return _hmac("HS256", "ec", PAIR.as_pem(private=False))


FORGED = {
    "no signature": _unsigned,
    "the public key as a secret": _public_key_as_secret,
    "another key": lambda: signed(said(), key=jwk.OctKey.generate_key(256)),
    "a key id nobody knows": lambda: signed(said(), {"alg": "HS256", "kid": "other"}),
    "the right key under another algorithm": lambda: _hmac("HS512", "hs", SECRET.raw_value),
    "another audience": lambda: signed(said(aud="billing")),
    "no audience": lambda: signed({k: v for k, v in said().items() if k != "aud"}),
    "no expiry": lambda: signed({k: v for k, v in said().items() if k != "exp"}),
    "an expiry that is text": lambda: signed(said(exp="tomorrow")),
    "a role nobody has": lambda: signed(said(role="king")),
    "no role": lambda: signed({k: v for k, v in said().items() if k != "role"}),
    "an empty list of roles": lambda: signed(several()),
    "a role nobody has beside one": lambda: signed(several("ops", "king")),
    "roles that are text": lambda: signed(several() | {"roles": "coordinator"}),
    "a role that is not among the roles": lambda: signed(said(roles=["coordinator"])),
    "a vendor that is ops, too": lambda: signed(several("vendor", "ops", vendor="v1")),
    "a vendor that is ops by the other claim": lambda: signed(
        said(role="vendor", roles=["ops"], vendor="v1")
    ),
    "a vendor among roles without its id": lambda: signed(several("vendor", "vendor")),
    "ops of every market with another role": lambda: signed(several("ops", "coordinator", markets="*")),
    "a coordinator of every market": lambda: signed(said(role="coordinator", markets="*")),
    "a facility that is a coordinator, too": lambda: signed(several("facility", "coordinator", facility="c")),
    "a facility without its id": lambda: signed(said(role="facility")),
    "a platform with a facility's id": lambda: signed(said(facility="c")),
    "a vendor without its id": lambda: signed(said(role="vendor")),
    "a platform with a vendor's id": lambda: signed(said(vendor="v1")),
    "a platform of every market": lambda: signed(said(markets="*")),
    "a market that is no id": lambda: signed(said(markets=["m}{"])),
    "too long": lambda: signed(said(sub="x" * 5_000)),
    "nothing": lambda: "",
    "three dots": lambda: "...",
}


@pytest.mark.parametrize("case", FORGED)
def test_a_forged_or_meaningless_token_is_refused(authenticator: Authenticator, case: str) -> None:
    with pytest.raises(Unauthenticated):
        authenticator.verify(FORGED[case](), NOW_MS)


def test_a_token_may_carry_several_roles_and_says_each_once(authenticator: Authenticator) -> None:
    both = {Role.COORDINATOR, Role.CASE_MANAGER}
    for named in (
        several("coordinator", "case_manager"),
        several("case_manager", "coordinator", "coordinator"),
    ):
        who = authenticator.verify(signed(named), NOW_MS)
        assert (who.roles, who.may({Role.CASE_MANAGER}), who.may({Role.OPS})) == (both, True, False)
        assert who.caller == "case_manager+coordinator/platform", (
            "one caller, in whatever order they are named"
        )
    made = claims(
        Role.CASE_MANAGER, Role.COORDINATOR, markets=["metro"], vendor_id="", now_ms=NOW_MS, hours=1
    )
    assert (made["roles"], "role" in made) == (["case_manager", "coordinator"], False)


def test_a_token_of_one_role_means_what_it_meant_whichever_claim_says_it(
    authenticator: Authenticator,
) -> None:
    old = authenticator.verify(signed(said(sub="ann")), NOW_MS)
    assert (old.roles, old.caller, old.acting_as(Role)) == ({Role.PLATFORM}, "platform/ann", "platform")
    for like_it in (
        several("platform", sub="ann"),
        said(sub="ann", roles=["platform"]),
        said(sub="ann", roles=[]),
    ):
        assert authenticator.verify(signed(like_it), NOW_MS) == old
    assert authenticator.verify(signed(several("vendor", vendor="v1")), NOW_MS).is_vendor


def test_what_a_person_of_several_roles_does_is_done_in_the_role_that_may() -> None:
    ann = Principal.of(Role.OPS, Role.CASE_MANAGER, Role.COORDINATOR, subject="ann")
    assert ann.acting_as({Role.CASE_MANAGER}) == "case_manager"
    assert ann.acting_as({Role.OPS, Role.VENDOR}) == "ops"
    assert ann.acting_as({Role.OPS, Role.COORDINATOR}) == "coordinator", "the widest role is named last"
    desk = Principal.of(Role.FACILITY, facility_id="c3")
    assert (desk.acting_as({Role.FACILITY}), desk.is_outside, desk.is_vendor) == ("facility:c3", True, False)
    assert Principal.of(Role.VENDOR, vendor_id="v1").acting_as({Role.OPS, Role.VENDOR}) == "vendor:v1"


def test_ops_may_have_every_market(authenticator: Authenticator) -> None:
    assert authenticator.verify(signed(said(role="ops", markets="*")), NOW_MS).markets is None


def test_a_remembered_token_still_expires_and_memory_is_bounded(authenticator: Authenticator) -> None:
    token = signed(said())
    for moment in (NOW_MS, NOW_MS + 3_599_000):
        authenticator.verify(token, moment)
    with pytest.raises(Unauthenticated, match="expired"):
        authenticator.verify(token, NOW_MS + 3_600_000)
    for number in range(REMEMBERED + 10):
        authenticator.verify(signed(said(sub=f"s{number}")), NOW_MS)
    assert len(authenticator._known) == REMEMBERED


@pytest.mark.parametrize("change", [{"alg": "none"}, {"alg": "RS256"}, {"kid": ""}, {"alg": ""}])
def test_a_key_file_that_leaves_the_algorithm_open_stops_the_start(change: dict[str, str]) -> None:
    with pytest.raises(UserError, match="alg"):
        Authenticator({"keys": [SECRET.as_dict(private=True) | change]})


def test_public_keys_alone_mint_nothing() -> None:
    with pytest.raises(UserError, match="public"):
        mint({"keys": [PAIR.as_dict(private=False)]}, said())


def test_the_token_command_mints_a_token_that_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DISPATCHER_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("DISPATCHER_CLOCK_START_MS", str(NOW_MS))
    monkeypatch.setenv("DISPATCHER_CLOCK_SPEED", "0.000001")
    assert cli.main(["token", "--role", "vendor", "--vendor", "v1", "--market", "metro"]) == 0
    made = Authenticator(read_token_keys(tmp_path / "token-keys.json"))
    assert (tmp_path / "token-keys.json").stat().st_mode & 0o077 == 0
    principal = made.verify(capsys.readouterr().out.strip(), NOW_MS + 2_000_000)
    assert (principal.roles, principal.vendor_id, principal.markets) == ({Role.VENDOR}, "v1", {"metro"})


@pytest.mark.parametrize(
    "words", [["--role", "coordinator", "--role", "case_manager"], ["--role", "case_manager, coordinator"],
              ["--role", "coordinator,case_manager,coordinator"]]
)  # fmt: skip
def test_the_token_command_takes_several_roles(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    monkeypatch.setenv("DISPATCHER_DATA_DIR", str(tmp_path))
    assert cli.main(["token", *words, "--subject", "ann"]) == 0
    made = Authenticator(read_token_keys(tmp_path / "token-keys.json"))
    who = made.verify(capsys.readouterr().out.strip(), int(time.time() * 1000))
    assert (who.roles, who.subject) == ({Role.COORDINATOR, Role.CASE_MANAGER}, "ann")


@pytest.mark.parametrize(
    "words", [["--role", "vendor"], ["--role", "facility"], ["--role", "facility,ops", "--facility", "c"],
              ["--role", "ops", "--facility", "c"], ["--role", "vendor,ops", "--vendor", "v"],
              ["--role", "ops,"], ["--role", "vendor", "--role", "coordinator", "--vendor", "v"],
              ["--role", "coordinator", "--vendor", "v"],
              ["--role", "ops", "--vendor", "v"], ["--role", "ops", "--market", "x"],
              ["--role", "ops", "--hours", "0"], ["--role", "king"]]
)  # fmt: skip
def test_a_token_that_would_mean_nothing_is_not_minted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    monkeypatch.setenv("DISPATCHER_DATA_DIR", str(tmp_path))
    assert cli.main(["token", *words]) == 2
