"""What patients are found by: plain letters of the name, and the digits of the phone number.

`NAME` and `PHONE` are the expressions of two indexes of trigrams (migration 0005), and a query must
say them exactly so. Each word of a name follows a blank.
"""

import re

from docbook.typed_text import folded_text

# Letters one by one, because an index needs a function that never changes, which unaccent is not.
_MARKED = (
    "ÀÁÂÃÄÅĀĂĄàáâãäåāăąÇĆČĊçćčċĎĐďđÈÉÊËĒĖĘĚèéêëēėęěĞĢğģĦħÌÍÎÏĪĮİìíîïīįıĶķĹĻĽŁĺļľł"
    "ÑŃŅŇñńņňÒÓÔÕÖØŌŐòóôõöøōőŔŘŕřŚŞŠȘśşšșßŢŤȚţťțÙÚÛÜŪŮŰŲùúûüūůűųŴŵÝŶŸýŷÿŹŻŽźżž-"
)
_PLAIN = (
    "aaaaaaaaaaaaaaaaaaccccccccddddeeeeeeeeeeeeeeeegggghhiiiiiiiiiiiiiikkllllllll"
    "nnnnnnnnoooooooooooooooorrrrsssssssssttttttuuuuuuuuuuuuuuuuwwyyyyyyzzzzzz "
)
# An apostrophe goes: both O'Brien and OBrien are "obrien".
_DROPPED = "'’"

_QUOTED = _DROPPED.replace("'", "''")
NAME = f"lower(translate(' ' || first_name || ' ' || last_name, '{_MARKED}{_QUOTED}', '{_PLAIN}'))"
PHONE = "regexp_replace(phone, '[^0-9]', '', 'g')"

_LETTERS = str.maketrans(_MARKED, _PLAIN, _DROPPED)


def name_words(text: str) -> list[str]:
    """The words of a typed name, in the letters of NAME."""
    return re.findall(r"[^\W_]+", folded_text(text).translate(_LETTERS).lower())
