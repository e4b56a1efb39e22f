"""Settings: what is set is what is read, and what cannot be read says which variable, value and limit."""

import os
import stat

import pytest

from dispatcher.runtime.errors import UserError
from dispatcher.security import key_files
from dispatcher.settings import Settings, SettingsError, described


def test_a_child_process_gets_the_very_settings_of_its_parent(tmp_path):
    settings = Settings.read(
        {
            "DISPATCHER_PORT": "0",
            "DISPATCHER_MARKETS": "metro=America/New_York",
            "DISPATCHER_LOG_JSON": "0",
            "DISPATCHER_TRAVEL_URL": "osrm+https://roads:5000/car/",
            "DISPATCHER_TRAVEL_TILE": "40",
        },
        data_dir=tmp_path,
        clock_speed=960.0,
    )
    assert Settings.read(settings.environment()) == settings


@pytest.mark.parametrize(
    ("name", "text", "limit"),
    [
        ("PORT", "99999", "<= 65535"),
        ("PORT", "http", "it is no whole number"),
        ("REDIS_URL", "localhost:6379", "redis://"),
        ("MARKETS", "metro", "time zone"),
        ("MARKETS", "metro=Mars/Olympus", "time zone"),
        ("MARKETS", ",", "no market"),
        ("LOG_LEVEL", "loud", "loud"),
        ("CLOCK_SPEED", "-1", ">= 0"),
        ("TRAVEL_URL", "http://roads:5000", "osrm+http://"),
        ("TRAVEL_URL", "osrm+ftp://roads", "osrm+http://"),
        ("TRAVEL_URL", "osrm+http://", "no host"),
        ("TRAVEL_URL", "osrm+http://:5000", "no host"),
        ("TRAVEL_URL", "osrm+http://roads:99999", "ort"),
        ("TRAVEL_URL", "osrm+http://roads:0", "port is 0"),
        ("TRAVEL_URL", "osrm+http://[::1", "IPv6"),
        ("TRAVEL_URL", "osrm+http://ro ads", "no host"),
        ("TRAVEL_URL", "valhalla+https://roads?json=1", "no ?"),
        ("TRAVEL_TILE", "-1", ">= 0"),
        ("BROKER_URL", "amqp://broker", "redis://"),
        ("BROKER_URL", "redis://", "no host"),
        ("BROKER_URL", "redis://broker:99999", "ort"),
        ("BROKER_URL", "unix://", "unix:///path"),
        ("BROKER_URL", "redis+sentinel://one:26379,two:26379", "no primary"),
        ("BROKER_URL", "redis+sentinel://one:26379,:1/mine", "no host"),
        ("BROKER_URL", "redis://broker/0?ssl=no", "after its path"),
    ],
)
def test_a_wrong_setting_is_named_with_its_value_and_limit(name, text, limit):
    with pytest.raises(SettingsError) as wrong:
        Settings.read({f"DISPATCHER_{name}": text})
    assert f"DISPATCHER_{name} is '{text}'" in str(wrong.value)
    assert limit in str(wrong.value)


def test_a_wrong_option_is_named_as_it_was_typed_and_no_variable_is_blamed():
    with pytest.raises(SettingsError) as wrong:
        Settings.read({"DISPATCHER_PORT": "80"}, {"port": ("--port", "abc"), "host": ("--host", None)})
    assert str(wrong.value).startswith("--port is 'abc': it is no whole number")
    assert "DISPATCHER_PORT" not in str(wrong.value)


def test_an_option_wins_over_the_environment():
    assert Settings.read({"DISPATCHER_PORT": "80"}, {"port": ("--port", "0")}).port == 0


def test_a_misspelt_variable_is_refused_not_ignored():
    with pytest.raises(SettingsError, match="DISPATCHER_PROT is no setting"):
        Settings.read({"DISPATCHER_PROT": "80"})


def test_the_command_line_wins_over_the_environment():
    assert Settings.read({"DISPATCHER_PORT": "80"}, port=0, host=None).port == 0


@pytest.mark.parametrize(
    ("url", "used"),
    [
        ("redis://valkey:6379/0", "redis://:p%40ss@valkey:6379/0"),
        ("redis+cluster://dispatcher@a:1,b:2", "redis+cluster://dispatcher:p%40ss@a:1,b:2"),
        ("rediss://dispatcher:own@valkey", "rediss://dispatcher:own@valkey"),
        ("unix:///run/valkey.sock", "unix:///run/valkey.sock"),
    ],
)
def test_the_password_of_the_store_may_lie_in_a_file(tmp_path, url, used):
    file = tmp_path / "password"
    file.write_text("p@ss\n")
    told = {"DISPATCHER_REDIS_URL": url, "DISPATCHER_REDIS_PASSWORD_FILE": str(file)}
    settings = Settings.read(told)
    assert settings.redis_url == used
    assert Settings.read(settings.environment()) == settings


def test_the_password_of_the_broker_may_lie_in_a_file(tmp_path):
    (file := tmp_path / "password").write_text("s/1\n")
    told = {
        "DISPATCHER_BROKER_URL": "redis+sentinel://one:26379,two/mine",
        "DISPATCHER_BROKER_PASSWORD_FILE": str(file),
    }
    url = Settings.read(told).broker_url
    assert url == "redis+sentinel://:s%2F1@one:26379,two/mine"
    assert url.shown == "redis+sentinel://one:26379,two/mine"
    assert Settings.read(Settings.read(told).environment()).broker_url == url


@pytest.mark.parametrize(("content", "why"), [(None, "FileNotFoundError"), ("\n", "it is empty")])
def test_a_password_file_without_a_password_is_named(tmp_path, content, why):
    file = tmp_path / "password"
    if content is not None:
        file.write_text(content)
    told = {"DISPATCHER_REDIS_URL": "redis://valkey", "DISPATCHER_REDIS_PASSWORD_FILE": str(file)}
    with pytest.raises(UserError, match=why):
        Settings.read(told)


def test_every_setting_says_what_it_is():
    assert all(about for _, _, about in described())
    assert len(described()) == len(Settings.__struct_fields__)


@pytest.mark.parametrize("make", [key_files.ensure_token_keys, key_files.ensure_patient_keys])
def test_development_keys_are_for_this_user_alone_and_made_once(tmp_path, make):
    path = tmp_path / "folder" / "keys.json"
    assert make(path)
    first = path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not make(path)
    assert path.read_bytes() == first
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_a_key_file_that_others_can_read_is_refused(tmp_path):
    path = tmp_path / "keys.json"
    key_files.ensure_patient_keys(path)
    path.chmod(0o640)
    with pytest.raises(key_files.KeyFileError, match="chmod 600"):
        key_files.read_patient_keys(path)


@pytest.mark.parametrize(
    ("mode", "owner", "group", "private"),
    [
        (0o440, 0, 10_001, True),  # what Kubernetes makes of a secret with `fsGroup`
        (0o440, 0, 10_002, False),  # a group that we do not have
        (0o440, 10_001, 10_001, False),  # no secret that was mounted: `chmod 600` is in our power
        (0o460, 0, 10_001, False),
        (0o444, 0, 10_001, False),
        (0o400, 10_001, 10_001, True),
    ],
)
def test_a_secret_that_is_mounted_for_our_group_alone_is_private(mode, owner, group, private):
    found = os.stat_result((0o100_000 | mode, 1, 1, 1, owner, group, 9, 0, 0, 0))
    assert key_files.is_private(found, 10_001, [10_001]) is private


@pytest.mark.parametrize(
    "content", [b"", b"{}", b'{"current":"b","keys":{}}', b'{"current":"a","keys":{"a":"AA=="}}']
)
def test_a_damaged_key_ring_is_refused_without_showing_it(tmp_path, content):
    path = tmp_path / "keys.json"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(key_files.KeyFileError, match=r"keys\.json"):
        key_files.read_patient_keys(path)
