"""The image and the compose file name what exists, and the compose file's Valkey is as durable as ours."""

import json
import os
import re
import subprocess
import sys
import threading
import tomllib
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from dispatcher import settings
from dispatcher.serve import embedded

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
COMPOSE = (ROOT / "compose.yaml").read_text()
IGNORE = (ROOT / ".dockerignore").read_text().splitlines()


@pytest.mark.parametrize("text", [DOCKERFILE, COMPOSE], ids=["Dockerfile", "compose.yaml"])
def test_every_setting_it_sets_exists(text: str) -> None:
    known = {name for name, *_ in settings.described()}
    named = set(re.findall(r"\bDISPATCHER_[A-Z_]+", text))
    assert named
    assert named <= known


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, value in embedded.DURABLE.items() if "rewrite-" not in name]
)
def test_the_valkey_beside_the_service_is_as_durable_as_the_embedded_one(name: str, value: str) -> None:
    words = [word.strip().strip('"') for word in re.findall(r"^      - (.*)$", COMPOSE, re.MULTILINE)]
    assert words[words.index(f"--{name}") + 1] == value


def test_what_the_image_is_built_from_exists() -> None:
    kept = [line[1:] for line in IGNORE if line.startswith("!")]
    assert "contracts" in kept
    assert [name for name in kept if not (ROOT / name).exists()] == []


def test_the_image_runs_as_nobody_special_and_is_watched() -> None:
    last_stage = DOCKERFILE.rpartition("\nFROM ")[2]
    assert re.search(r"^USER (?!root)", last_stage, re.MULTILINE)
    assert "HEALTHCHECK" in last_stage
    assert 'CMD ["serve"]' in last_stage


class Alive(BaseHTTPRequestHandler):
    """Says 200, and no more."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def test_the_health_check_asks_the_service_whatever_proxy_is_set() -> None:
    _, *words = json.loads(re.findall(r"^    CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)[0])
    proxies = dict.fromkeys(("http_proxy", "HTTP_PROXY", "all_proxy", "https_proxy"), "http://127.0.0.1:9")
    with HTTPServer(("127.0.0.1", 0), Alive) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        variables = {**os.environ, **proxies, "DISPATCHER_PORT": str(server.server_port), "no_proxy": ""}
        done = subprocess.run([sys.executable, *words], env=variables, capture_output=True, check=False)
        server.shutdown()
    assert (done.returncode, done.stderr) == (0, b"")


def test_the_image_is_built_from_every_package_of_the_wheel() -> None:
    build = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]
    kept = {line[1:] for line in IGNORE if line.startswith("!")}
    assert set(build["targets"]["wheel"]["packages"]) <= kept
