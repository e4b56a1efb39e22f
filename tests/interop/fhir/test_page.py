"""The page's commands are run as they stand, and print what it says."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from contracts.codes import Role
from contracts.instants import to_ms
from tests.interop.fhir.conftest import Fhir, judged

PAGE = (Path(__file__).parents[3] / "docs" / "fhir.md").read_text(encoding="utf-8")


async def test_the_discharge_is_taken_as_written(fhir: Fhir) -> None:
    (text,) = re.findall(r"^```json\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    body = json.loads(text)
    judged(body)
    fhir.api.clock.ms = to_ms(datetime(2026, 12, 1, tzinfo=UTC))
    status, told = await fhir.call("POST", "", body)
    assert status == 200, told
    episode = told["entry"][4]["resource"]["requisition"]["value"]
    (edge,) = (await fhir.api.call("GET", f"/episodes/{episode}"))[1]["sequence"]
    names = [told["entry"][n]["resource"]["identifier"][0]["value"] for n in (3, 4)]
    assert ([edge["before"], edge["after"]], edge["least_lag_minutes"]) == (names, 30)


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not here, and the page uses it")
async def test_the_ride_goes_by_hand_as_written(fhir: Fhir) -> None:
    api = fhir.api
    api.clock.ms = time.time_ns() // 1_000_000  # as the page's own `when`
    (_, walk) = re.findall(r"^```bash\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    (printed,) = re.findall(r"^It prints\n\n```\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    own = {"FHIR": str(api.client.make_url(f"{api.base}/fhir")), "TOKEN": api.token(Role.PLATFORM)}
    done = await asyncio.create_subprocess_exec(
        "bash", "-euo", "pipefail", "-c", walk, env=dict(os.environ) | own,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    said, wrong = await done.communicate()
    assert (said.decode(), wrong.decode(), done.returncode) == (printed, "", 0)
