"""docs/python.md is true: its code is run as it stands, against the service."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from contracts.codes import RequestState, Role
from tests.http.conftest import NOW, Api

PAGE = Path(__file__).parents[2] / "docs" / "python.md"
CODE = "\n".join(
    re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
)
ROLES = {"platform": Role.PLATFORM, "case_manager": Role.CASE_MANAGER}


async def test_the_python_of_the_page_builds_and_sends_what_it_says(api: Api) -> None:
    page: dict[str, Any] = {}
    exec(compile(CODE.replace('"metro"', repr(api.market)), PAGE.name, "exec"), page)
    monday = datetime(NOW.year, NOW.month, NOW.day, 10, tzinfo=ZoneInfo("America/New_York"))
    monday += timedelta(days=7 - monday.weekday())
    tokens = {name: api.token(role, subject="lee") for name, role in ROLES.items()}
    await page["a_day"](str(api.client.make_url("/")), tokens, monday)
    requests = api.store.market(api.market).requests.records
    names = ["home-1-oxygen", "home-1-bed", "home-1-ride", "home-1-visit", "clinic-1", "clinic-1-back"]
    found = await requests.get_all(names)
    assert {name: found[name].state for name in names} == dict.fromkeys(names, RequestState.RECEIVED)
    ride, back = found["home-1-ride"], found["clinic-1-back"]
    assert [each.request_id for each in ride.after] == ["home-1-oxygen", "home-1-bed"]
    assert ride.earliest_ms == int((monday + timedelta(hours=1)).timestamp() * 1000)
    assert back.earliest_ms == int((monday + timedelta(days=1, hours=2)).timestamp() * 1000)
    assert (await requests.get("home-2-ride")) is None
