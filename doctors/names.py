"""Names of people, taken apart: what is a title, and which words are searched for."""

import re
import unicodedata

TITLES = frozenset(
    {"dr", "dra", "drs", "doctor", "prof", "professor", "med", "md", "phd", "mr", "mrs", "ms"}
    | {"miss", "mme", "mw", "mevr", "mevrouw", "dhr", "herr", "frau", "sr", "sra"}
)
# More words than anybody types; each is another condition of the search.
MOST_WORDS = 12


def words_of(text: str) -> list[str]:
    """The words that count, in small letters: no titles, no full stops, commas or hyphens.

    "Visser, Emma" and "Dr. Emma Visser" give the same two words. A hyphen parts words, because a
    name is written with it by one and without by the next.
    """
    words = [word for word in dict.fromkeys(_parts(text)) if word not in TITLES]
    return words[:MOST_WORDS]


def is_only_titles(text: str) -> bool:
    """Then any doctor is meant; of signs that are no letters nobody is."""
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
