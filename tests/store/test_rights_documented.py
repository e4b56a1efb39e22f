"""The rights that the documentation gives the service are those that it looks for."""

from __future__ import annotations

import re
from pathlib import Path

from dispatcher.store.keys import Keys
from dispatcher.store.rights import ANYWHERE, needed

PAGE = Path(__file__).parents[2] / "docs" / "operations.md"
WITH_A_WORD = {"XGROUP", "XINFO", "SCRIPT"}  # whose second word says what it does


def test_every_command_that_is_looked_for_is_given_there() -> None:
    page = PAGE.read_text(encoding="utf-8")
    begins = page.index("ACL SETUSER dispatcher")
    given = set(re.findall(r"\+([a-z|]+)", page[begins : page.index("```", begins)]))
    words = [*ANYWHERE, *needed(Keys("metro"))]
    wanted = {"|".join(each[: 1 + (each[0] in WITH_A_WORD)]).lower() for each in words}
    assert wanted - given == set()
