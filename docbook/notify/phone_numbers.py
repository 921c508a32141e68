"""Phone numbers as people type them, and as a provider wants them."""

import re

# Kept as typed, even if only the clinic's own country can dial it: at least five digits, and the
# signs people write between them.
AS_WRITTEN = r"^(?=(?:[^0-9]*[0-9]){5})[0-9+()/ .-]{5,32}\Z"
NOT_A_NUMBER = "Give five digits or more; spaces, + ( ) / . and - may stand between them."
_E164 = re.compile(r"\+[1-9][0-9]{7,14}")


def international(phone: str) -> str:
    """E.164 (ITU-T), like "+31 6 5550 1234" → "+31655501234"; empty if the country is missing.

    A number without its country could belong to somebody else abroad, so we do not guess one.
    """
    number = re.sub(r"[\s()./-]", "", phone)
    number = re.sub(r"^00", "+", number)
    return number if _E164.fullmatch(number) else ""
