"""Names of people, taken apart: titles, and the words to search for."""

import re
import unicodedata

TITLES = frozenset(
    {"dr", "dra", "drs", "doctor", "prof", "professor", "med", "md", "phd", "mr", "mrs", "ms"}
    | {"miss", "mme", "mw", "mevr", "mevrouw", "dhr", "herr", "frau", "sr", "sra"}
)
# Nobody types more words than this; each adds a condition to the search.
MOST_WORDS = 12


def words_of(text: str) -> list[str]:
    """The significant words in lower case: no titles, full stops, commas or hyphens.

    "Visser, Emma" and "Dr. Emma Visser" give the same two words. A hyphen separates words, because
    some people write a name with it and some without.
    """
    words = [word for word in dict.fromkeys(_parts(text)) if word not in TITLES]
    return words[:MOST_WORDS]


def is_only_titles(text: str) -> bool:
    """True for a search by titles alone, which means any doctor. Signs without letters mean
    nobody.
    """
    return bool(_parts(text)) and not words_of(text)


def initials_of(name: str) -> str:
    """Like "Dr Emma Visser" → "EV"."""
    words = [word for word in name.split() if re.sub(r"\.", "", word).lower() not in TITLES]
    ends = words[:1] + words[1:][-1:]
    return "".join(word[0] for word in ends).upper()


def _parts(text: str) -> list[str]:
    letters = unicodedata.normalize("NFC", text).casefold()
    return "".join(char if _is_part_of_a_word(char) else " " for char in letters).split()


def _is_part_of_a_word(char: str) -> bool:
    return unicodedata.category(char)[0] in "LNM"
