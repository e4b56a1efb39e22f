"""Odd values on the command line: no traceback, no silent nonsense; two lines, and an exit code of 1 or 2."""

import json
import os
import socket
import subprocess
import sys
from itertools import groupby
from operator import itemgetter
from pathlib import Path

import pytest

from benchmarks.generator import generate
from dispatcher import cli
from dispatcher.cli import audit
from dispatcher.runtime.arguments import try_to_write
from dispatcher.runtime.errors import UserError
from dispatcher.runtime.urls import OidcRoles
from dispatcher.security import key_files
from dispatcher.security.tokens import Authenticator
from dispatcher.serve.supervisor import prepare
from dispatcher.settings import Settings, SettingsError

NUMBERS = ("", "nan", "inf", "-inf", "-1", "1e400", "9" * 5_000, "ten", "1\n2", "\x00")
IDS = ("a b", "ü", "a" * 65, "a\nb", "{a}", "\u202eb", "a,b")
ROOT = os.getuid() == 0  # who may write everything: then no right is missing


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with one of every kind of odd file in it; the data folder of each command."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DISPATCHER_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setattr("dispatcher.runtime.logs.configure", lambda *_, **__: None)  # it is the process's
    for made, name in ((key_files.ensure_token_keys, "token"), (key_files.ensure_patient_keys, "patient")):
        made(tmp_path / "data" / f"{name}-keys.json")
    (tmp_path / "folder").mkdir()
    (tmp_path / "full").symlink_to("/dev/full")
    (tmp_path / "empty").touch()
    (tmp_path / "blank").write_text("\r\n \r\n")
    (tmp_path / "utf16").write_text("a\nb\n", encoding="utf-16")
    (tmp_path / "nul").write_bytes(b"a\nb\0\n")
    (tmp_path / "header").write_text("request_id,state\na,accepted\n")
    (tmp_path / "binary").write_bytes(bytes(range(256)))
    (tmp_path / "locked").mkdir(mode=0o500)
    (tmp_path / "secret").write_text("a\n")
    (tmp_path / "secret").chmod(0)
    generate(20, "normal", 1).save(tmp_path / "small.npz")
    yield tmp_path
    (tmp_path / "locked").chmod(0o700)


def _lines():
    reads = ["missing", "missing/file", "folder", "x" * 5_000, "a\x00b", "", *([] if ROOT else ["secret"])]
    writes = [
        "missing/file",
        "folder",
        "empty/file",
        "x" * 5_000,
        "a\x00b",
        *([] if ROOT else ["locked/file"]),
    ]
    token, audit = ["token", "--role"], ["audit", "--timeout", "0"]
    yield from ([*token, "platform", "--hours", each] for each in (*NUMBERS, "0", "1e-9", "87601"))
    yield from ([*token, "vendor", "--vendor", each] for each in ("", *IDS))
    yield from ([*token, "ops", "--market", each] for each in ("", "*", "nowhere", *IDS))
    yield from ([*token, "ops", "--subject", each] for each in ("x" * 129, "x" * 5_000))
    yield from ([*token, each] for each in ("", "king", "OPS"))
    yield [*token, "ops", "--vendor", "v1"]
    yield ["token"]
    yield from (
        [*audit, "--ids", each] for each in (*reads, "empty", "blank", "utf16", "nul", "header", "binary")
    )
    yield from (["audit", word, each] for word in ("--settle", "--timeout") for each in (*NUMBERS, "3601"))
    yield from ([*audit, "--market", each] for each in ("", *IDS))
    yield from ([*audit, "--url", each] for each in ("localhost:6379", "http://x", "redis://", "x"))
    yield from ([*audit, "--data-dir", each] for each in ("missing", "folder", "empty", "x" * 5_000))
    yield from (["demo", "--speed", each] for each in (*NUMBERS, "0", "-0", "10001"))
    yield from (["demo", "--seed", each] for each in (*NUMBERS, "1.5", str(2**32)))
    yield from (["demo", "--day", each] for each in ("missing", "empty", "folder", "x" * 5_000, "a\x00b"))
    yield from (["demo", word, each] for word in ("--json", "--svg") for each in writes)
    yield from (["demo", "--data-dir", each] for each in ("empty", "empty/a", "a\x00b", "x" * 5_000, "."))
    yield from (["solve", each] for each in (*reads, "empty", "binary", "utf16"))
    yield from (["solve", "small.npz", "--seconds", each] for each in (*NUMBERS, "0", "86401"))
    yield from (["solve", "small.npz", "--seed", each] for each in (*NUMBERS, "1.5", str(2**32)))
    yield from (["solve", "small.npz", "--workers", each] for each in (*NUMBERS, "0", "1.5", "1025"))
    yield from (["solve", "small.npz", word, each] for word in ("--json", "--out") for each in writes)
    yield from (["solve", "small.npz", "--seconds", ".1", word, "full"] for word in ("--json", "--out"))
    yield from (["serve", "--port", each] for each in (*NUMBERS[1:], "65536", "80.5", "http"))
    yield from (
        ["serve", "--host", each]
        for each in ("no.such.host.invalid", "x" * 300, "a\x00b", "256.1.1.1", "::zz", "a b")
    )
    yield from (["serve", "--role", each] for each in ("", "king", "web", "matcher"))
    yield from (
        ["serve", "--role", "web", "--redis-url", "redis://x", "--listener", each]
        for each in ("-1", "999", "nan")
    )
    yield from (["bench", each] for each in ("", "x", "..", "a/b", "peers", "generator", "\x00"))
    for name, words in BENCHES.items():
        yield from (["bench", name, word, each] for word in words for each in NUMBERS)
        yield from (["bench", name, *_needed(name), "--json", each] for each in writes)
    yield ["bench", "assignment", "--peers", "gurobi"]
    yield from (["bench", "assignment", "--save", each] for each in writes)
    yield from (["bench", "assignment", "--npz", each] for each in reads[:-1])
    yield from (["bench", "assignment", "--day", each] for each in reads[:-1])
    yield from (["bench", "gap", each] for each in (*reads, "empty"))
    yield from ([name, "--no-such-option"] for name in cli.command_names())
    yield from ([name, "unasked", "for"] for name in ("serve", "demo", "audit", "token"))
    yield from ([each] for each in ("sevre", "../x", "__init__", "\x00", "a\nb"))


BENCHES = {
    "assignment": ["--requests", "--seconds", "--seeds", "--workers", "--bound-seconds"],
    "gap": ["--seconds", "--seeds", "--workers"],
    "insertion": ["--requests", "--fresh", "--cpsat", "--batch-seconds", "--seed"],
    "intake": ["--seconds", "--connections", "--limit", "--warm-up"],
    "store": ["--requests", "--concurrency", "--open"],
}


def _needed(name):
    return ["folder"] if name == "gap" else []


def _short(words):
    return " ".join(word if len(word) < 40 else f"{word[:8]}…{len(word)}" for word in words)


LINES = {name: list(lines) for name, lines in groupby(sorted(_lines()), key=itemgetter(0))}


@pytest.mark.parametrize("command", LINES)
def test_an_odd_value_is_told_in_two_lines(here, capsys, command):
    for words in LINES[command]:
        assert cli.main(words) in (1, 2), _short(words)
        told = capsys.readouterr()
        lines = told.err.splitlines()
        assert len(lines) == 2, (_short(words), told.err)
        assert lines[0].startswith("dispatcher: "), _short(words)
        assert "Traceback" not in told.err, _short(words)
        assert told.out == "", _short(words)
        assert not (here / "missing").exists(), _short(words)


def test_a_file_that_will_be_written_is_tried_and_left_as_it_is(here):
    (here / "there").write_text("as it was")
    try_to_write(here / "there")
    try_to_write(here / "new")
    assert (here / "there").read_text() == "as it was"
    assert not (here / "new").exists()


def test_a_pipe_is_not_waited_for(here):
    os.mkfifo(here / "pipe")
    try_to_write(here / "pipe")
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(here / "socket"))
        with pytest.raises(UserError):
            try_to_write(here / "folder" / "none" / "socket")


def test_the_demo_tries_its_files_before_it_plays(here, monkeypatch, capsys):
    def play(*_):
        raise AssertionError("the day was played")

    monkeypatch.setattr("dispatcher.cli.demo._play", play)
    assert cli.main(["demo", "--json", "missing/summary.json"]) == 1
    assert "missing/summary.json" in capsys.readouterr().err


IDS_FILES = {
    "plain": b"a\nb\n",
    "with a mark": b"\xef\xbb\xbfa\nb\n",
    "from Windows": b"\xef\xbb\xbfa\r\nb\r\n",
    "without an end": b"a\nb",
    "with empty lines": b"\n a \n\nb\n\n",
}


@pytest.mark.parametrize("name", IDS_FILES)
def test_a_list_of_ids_is_read_as_it_was_saved(here, name):
    (here / "ids").write_bytes(IDS_FILES[name])
    assert audit._ids(here / "ids") == ["a", "b"]


def test_an_id_is_lost_only_if_no_market_has_it():
    lost = [{"rule": "lost", "subject": each, "detail": ""} for each in "ab"]
    other = {"rule": "lists", "subject": "a", "detail": ""}
    found = [[lost[0], lost[1], other], [lost[1]]]
    reports, elsewhere = audit._without_others([{"findings": each} for each in found], is_all=True)
    assert [report["findings"] for report in reports] == [[lost[1], other], []], "told once"
    assert elsewhere == []
    reports, elsewhere = audit._without_others([{"findings": each} for each in found], is_all=False)
    assert [report["findings"] for report in reports] == [[other], []]
    assert elsewhere == ["b"], "a market that is away may have it"


def test_what_cannot_be_printed_is_no_success():
    command = [sys.executable, "-m", "dispatcher", "--help"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines()[0] == "dispatcher: cannot write standard output: No space left on device."
    assert len(done.stderr.splitlines()) == 2


@pytest.mark.parametrize("text", ["metro=UTC,metro=Asia/Seoul", "a=UTC, b=UTC ,a=UTC"])
def test_a_market_that_is_named_twice_is_refused(text):
    with pytest.raises(SettingsError, match="named twice"):
        Settings.read({"DISPATCHER_MARKETS": text})


@pytest.mark.parametrize("field", ["CLOCK_SPEED", "CLOCK_ANCHOR_S", "CLOCK_START_MS"])
@pytest.mark.parametrize("text", ["nan", "inf", "-1", "1e300"])
def test_a_clock_that_shows_no_time_is_refused(field, text):
    with pytest.raises(SettingsError, match=field):
        Settings.read({f"DISPATCHER_{field}": text})


KEY = {"kty": "oct", "kid": "a", "alg": "HS256", "k": "c2VjcmV0LW9mLXRoZS10ZXN0cy1vZi10aGlydHktdHdv"}


def written(path, content):
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    path.chmod(0o600)
    return path


def test_two_keys_of_one_kid_are_refused(tmp_path):
    twice = {"keys": [KEY, KEY | {"k": KEY["k"][::-1]}]}
    with pytest.raises(key_files.KeyFileError, match="'a'"):
        key_files.read_token_keys(written(tmp_path / "keys", twice))
    with pytest.raises(UserError, match="same kid"):
        Authenticator(twice)


@pytest.mark.parametrize(
    "content",
    [
        b'{"keys":[],"keys":[{"kid":"a"}]}',
        b'{"keys":[{"kid":"a","kid":"b","kty":"oct"}]}',
        b'{"current":"a","keys":{"a":"%b","a":"%b"}}' % (b"A" * 43 + b"=", b"B" * 43 + b"="),
        b'{"current":"a","current":"b","keys":{}}',
    ],
)
@pytest.mark.parametrize("read", [key_files.read_token_keys, key_files.read_patient_keys])
def test_a_key_that_stands_twice_in_a_file_is_refused(tmp_path, read, content):
    with pytest.raises(key_files.KeyFileError, match="malformed"):
        read(written(tmp_path / "keys", content))


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_a_key_file_with_a_mark_is_read(tmp_path, end):
    text = b'\xef\xbb\xbf{"keys":' + end + json.dumps([KEY]).encode() + b"}" + end
    assert key_files.read_token_keys(written(tmp_path / "keys", text)) == {"keys": [KEY]}


@pytest.mark.parametrize("make", ["folder", "missing", "nul", "utf16", "no right"])
@pytest.mark.parametrize("read", [key_files.read_token_keys, key_files.read_patient_keys])
def test_a_key_file_that_cannot_be_read_is_an_error_of_ours(tmp_path, read, make):
    path = tmp_path / "keys"
    if make == "folder":
        path.mkdir()
    elif make == "nul":
        written(path, b"\0" * 100)
    elif make == "utf16":
        written(path, '{"keys":[]}'.encode("utf-16"))
    elif make == "no right":
        if ROOT:
            pytest.skip("root may read everything")
        written(path, b"{}").chmod(0)
    with pytest.raises(key_files.KeyFileError) as wrong:
        read(path)
    assert len(str(wrong.value).splitlines()) == 2


@pytest.mark.parametrize(
    "change", [{"k": ""}, {"k": None}, {"k": "ü"}, {"alg": ""}, {"kid": ""}, {"kty": "RSA"}, {"kid": None}]
)
def test_a_key_that_is_none_is_an_error_of_ours(here, monkeypatch, capsys, change):
    monkeypatch.setenv("DISPATCHER_TOKEN_KEYS", str(written(here / "keys", {"keys": [KEY | change]})))
    assert cli.main(["token", "--role", "ops"]) == 1
    told = capsys.readouterr().err
    assert len(told.splitlines()) == 2
    assert KEY["k"] not in told


@pytest.mark.parametrize("odd", ["a file", "below a file", "full"])
def test_a_key_file_that_cannot_be_made_is_an_error_of_ours(here, odd):
    path = {"a file": here / "empty" / "keys", "below a file": here / "empty" / "b" / "keys"}.get(odd)
    if path is None:
        path = Path("/proc/keys-of-ours")
    with pytest.raises(key_files.KeyFileError):
        key_files.ensure_token_keys(path)


@pytest.mark.parametrize("name", ["", "x" * 256])
def test_a_patient_key_whose_id_cannot_be_stored_is_refused(tmp_path, name):
    ring = {"current": name, "keys": {name: "A" * 43 + "="}}
    with pytest.raises(key_files.KeyFileError, match="bytes"):
        key_files.read_patient_keys(written(tmp_path / "keys", ring))


@pytest.mark.parametrize("content", [None, b"soon", b"\xff", b"nan"])
def test_a_file_of_the_clock_that_is_none_is_refused_at_the_start(tmp_path, content):
    file = tmp_path / "clock"
    file.mkdir() if content is None else file.write_bytes(content)
    settings = Settings(data_dir=tmp_path / "data", clock_speed=1.0, clock_file=file)
    with pytest.raises(UserError, match="DISPATCHER_CLOCK_FILE"):
        prepare(settings)


def test_an_address_to_tell_coordinators_at_is_looked_at_before_anything_starts(tmp_path):
    settings = Settings(data_dir=tmp_path / "data", notify_coordinator_email="ward")
    with pytest.raises(UserError, match="NOTIFY_COORDINATOR_EMAIL is 'ward', no mail address"):
        prepare(settings)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"places": Path("gone.csv")}, "DISPATCHER_PLACES is gone.csv, and it cannot be read: No such file"),
        ({"oidc_issuer": "https://people.example"}, "OIDC_CLIENT_ID or OIDC_ROLES is not"),
        (
            {
                "oidc_issuer": "https://people.example",
                "oidc_client_id": "dispatcher",
                "oidc_roles": OidcRoles("staff=ops"),
                "oidc_client_secret_file": Path("gone"),
            },
            "OIDC_CLIENT_SECRET_FILE is gone, and it cannot be read: No such file",
        ),
    ],
)
def test_what_only_the_web_process_reads_is_looked_at_before_anything_starts(tmp_path, wrong, says):
    with pytest.raises(UserError, match=says):
        prepare(Settings(data_dir=tmp_path / "data", **wrong))
