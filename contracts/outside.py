"""What is asked of messages from outside only: a text that can be read, a number that checks.

What is stored is read as it is. A check that is added here cannot make yesterday's documents unreadable.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable

from contracts.problems import InvalidMessage

# Control characters but tab and line ends; line separators; what turns the direction of writing, so that a
# text shows other than it reads (https://unicode.org/reports/tr36/#Bidirectional_Text_Spoofing).
UNREADABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
LINES = re.compile("[\t\r\n]")
DIGIT = re.compile(r"\d")
FILLERS = "\u115f\u1160\u2800\u3164\uffa0"  # they count as letters or signs, and show nothing
NPI_PREFIX = "80840"  # of health applications in the US: part of what the check digit is over


def refuse_unreadable(text: str) -> None:
    """Raises InvalidMessage for a character that is no writing."""
    if UNREADABLE.search(text):
        raise InvalidMessage.at(
            "",
            "a text has a control character, or one that turns the direction of writing\n"
            "Maybe it was pasted: type it anew.",
        )


def refuse_no_name(pointer: str, name: str) -> None:
    """Raises InvalidMessage for a name of blanks, or of several lines. The name is not repeated."""
    refuse_odd_line(pointer, name, "a name")


def refuse_odd_line(pointer: str, text: str, what: str) -> None:
    """The same of another text that is one line; `what` it is called."""
    if LINES.search(text):
        raise InvalidMessage.at(pointer, f"{what} is one line, without tabs\nMaybe two fields were joined.")
    if not _shows(text[:1]) and not any(map(_shows, text)):
        raise InvalidMessage.at(
            pointer, f"{what} of nothing but blanks\nMaybe it was left empty by the sender."
        )


def refuse_no_number(pointer: str, phone: str) -> None:
    """Raises InvalidMessage for a phone number that nobody can call: not one digit, of whatever script."""
    if not DIGIT.search(phone):
        raise InvalidMessage.at(
            pointer, "a phone number without a digit\nMaybe leave it out, or say it in `notes`."
        )


def refuse_repeated(pointer: str, names: Iterable[Hashable], hint: str) -> None:
    """Raises InvalidMessage for what a list has twice: one of the two would count for nothing, unsaid."""
    seen = set[Hashable]()
    for number, name in enumerate(names):
        if name in seen:
            raise InvalidMessage.at(f"{pointer}/{number}", f"{name} is there already\n{hint}")
        seen.add(name)


def refuse_blank(pointer: str, text: str) -> None:
    """Raises InvalidMessage for a word to somebody that shows nothing."""
    if not any(_shows(character) for character in text):
        raise InvalidMessage.at(pointer, "a text of nothing but blanks\nMaybe it was sent too soon.")


def refuse_wrong_npi(pointer: str, npi: str) -> None:
    """Raises InvalidMessage unless the last digit is the check digit of the others (ISO/IEC 7812-1, Luhn)."""
    digits = [int(digit) for digit in reversed(NPI_PREFIX + npi)]
    doubled = [2 * digit - 9 * (digit > 4) for digit in digits[1::2]]
    if (sum(digits[::2]) + sum(doubled)) % 10:
        raise InvalidMessage.at(
            pointer,
            f"the check digit of NPI {npi} does not fit\nMaybe two digits are swapped, or one is wrong.",
        )


def _shows(character: str) -> bool:
    return character.isprintable() and not character.isspace() and character not in FILLERS
