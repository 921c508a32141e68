"""Numbers as people type them, and as a provider wants them."""

import re

# What is kept as it was typed: also a number that only the clinic's own country can dial. Five
# digits at least, and what people write between them.
AS_WRITTEN = r"^(?=(?:[^0-9]*[0-9]){5})[0-9+()/ .-]{5,32}\Z"
NOT_A_NUMBER = "Give five digits or more; spaces, + ( ) / . and - may stand between them."
_E164 = re.compile(r"\+[1-9][0-9]{7,14}")


def international(phone: str) -> str:
    """E.164 (ITU-T), like "+31 6 5550 1234" → "+31655501234"; empty where the country is missing.

    A number without its country could belong to somebody else abroad, so none is guessed.
    """
    number = re.sub(r"[\s()./-]", "", phone)
    number = re.sub(r"^00", "+", number)
    return number if _E164.fullmatch(number) else ""
