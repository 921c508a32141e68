"""What somebody types at the desk while a caller speaks: names, a number, a birthday, an address.

The parts may stand in any order: "mueler 0151", "12.03.1980 anna", "+49 151 234".
"""

import re
from dataclasses import dataclass
from datetime import date

from accounts.patient_keys import name_words
from docbook.notify.phone_numbers import international
from docbook.typed_text import folded_code, folded_text

_DAY_FIRST = re.compile(r"(?<!\d)(\d{1,2})[./-](\d{1,2})[./-](\d{4})(?!\d)")
_YEAR_FIRST = re.compile(r"(?<!\d)(\d{4})-(\d{1,2})-(\d{1,2})(?!\d)")
_OF_A_NUMBER = re.compile(r"[0-9+()/.-]+")
# Fewer letters or digits fit too many people.
FEWEST_LETTERS, FEWEST_DIGITS = 3, 4


@dataclass(frozen=True)
class Typed:
    """`name` and `phone` are as typed; `words` are the name in plain letters."""

    name: str = ""
    phone: str = ""
    email: str = ""
    born_on: date | None = None

    @property
    def words(self) -> list[str]:
        return name_words(self.name)

    @property
    def digits(self) -> str:
        """Without the zero that people dial at home, and not from abroad."""
        return re.sub(r"[^0-9]", "", self.phone).lstrip("0")

    @property
    def full_number(self) -> str:
        """The digits of a number with its country; empty if that is missing."""
        return international(self.phone).lstrip("+")

    @property
    def says_enough(self) -> bool:
        """Whether it can mean few enough people."""
        longest = max(map(len, self.words), default=0)
        by_name = longest >= FEWEST_LETTERS or len(self.words) > 1
        return by_name or len(self.digits) >= FEWEST_DIGITS or bool(self.email or self.born_on)

    @property
    def names(self) -> tuple[str, str]:
        """First and last name, also of "Smit, Anna"."""
        last, comma, first = self.name.partition(",")
        if not comma:
            first, _blank, last = self.name.partition(" ")
        return first.strip(), last.strip()


def typed_words(text: str) -> Typed:
    plain, born_on = _without_birthday(folded_text(text.replace("\0", "")))
    names, number, email = [], [], ""
    for part in plain.split():
        code = folded_code(part)
        if "@" in code:
            email = code.lower()
        elif _OF_A_NUMBER.fullmatch(code):
            number.append(code)
        else:
            names.append(part)
    return Typed(" ".join(names), " ".join(number), email, born_on)


def _without_birthday(text: str) -> tuple[str, date | None]:
    for pattern, in_order in ((_DAY_FIRST, (3, 2, 1)), (_YEAR_FIRST, (1, 2, 3))):
        found = pattern.search(text)
        if found is None:
            continue
        try:
            day = date(*(int(found[group]) for group in in_order))
        except ValueError:
            continue
        return text.replace(found[0], " "), day
    return text, None
