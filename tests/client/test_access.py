"""docs/operations.md is true about access: what it shows is what `dispatcher vendor-access` gives."""

import re
import shlex
from pathlib import Path

from dispatcher.store.vendor_access import set_user

DOCUMENT = Path(__file__).parents[2] / "docs" / "operations.md"


def test_the_page_shows_the_rights_that_the_command_gives():
    text = DOCUMENT.read_text(encoding="utf-8")
    shown = re.search(r"^(ACL SETUSER .*?)^```", text, re.MULTILINE | re.DOTALL)
    words = shlex.split(shown[1].replace("\\\n", " "))
    given = ["#SHA256" if each.startswith("#") else each for each in set_user("metro", "careful-vans", "x")]
    assert words == given
