"""Named places: read by market, and what is wrong with their file is said by line."""

from __future__ import annotations

from pathlib import Path

import pytest

from dispatcher.runtime.errors import UserError
from dispatcher.runtime.places import Place, read_places

HEAD = "market,name,longitude,latitude\n"


def test_places_are_read_by_market(tmp_path: Path) -> None:
    file = tmp_path / "places.csv"
    file.write_text(HEAD + 'metro,"Fairmount, north",-75.17,39.97\n\nseoul, 강남 ,127.04,37.51\n')
    found = read_places(file, ["metro", "seoul", "empty"])
    assert found == {
        "metro": (Place("Fairmount, north", -75.17, 39.97),),
        "seoul": (Place("강남", 127.04, 37.51),),
        "empty": (),
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("metro,a,1,2\n", "does not begin with the line market,name"),
        (HEAD + "metro,a,1\n", "line 2: not a market, a name"),
        (HEAD + "metro,a,east,2\n", "line 2: not a market, a name"),
        (HEAD + "metro,a,39.9,-175.2\n", "line 2: .* swapped"),
        (HEAD + "metro,a,nan,2\n", "line 2: "),
        (HEAD + "metro,,1,2\n", "line 2: a name has 1 to 40"),
        (HEAD + "nowhere,a,1,2\n", "line 2: 'nowhere' is no market"),
        (HEAD + "metro,a,1,2\n" * 201, "more than 200 places of metro"),
    ],
)
def test_what_is_wrong_with_a_line_is_said(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "places.csv"
    file.write_text(text)
    with pytest.raises(UserError, match=f"(?s){said}"):
        read_places(file, ["metro"])


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"DISPATCHER_PLACES is .*gone\.csv, and it cannot be read"):
        read_places(tmp_path / "gone.csv", ["metro"])
