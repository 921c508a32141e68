"""How easy a password is to guess, judged offline by zxcvbn and its lists."""

from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from zxcvbn import zxcvbn

LEAST_SCORE = 3  # of 4: about 10^8 guesses
# zxcvbn's work grows with the square of the length. A longer password is strong, or it repeats.
MOST_LETTERS = 72


class StrengthValidator:
    def validate(self, password: str, user: Any = None) -> None:
        if zxcvbn(password[:MOST_LETTERS], user_inputs=_of(user))["score"] < LEAST_SCORE:
            raise ValidationError(
                _(
                    "This password is too easy to guess. Try a few words that nobody would put"
                    " together."
                ),
                code="password_too_weak",
            )

    def get_help_text(self) -> str:
        return _("Not a common word or pattern.")


def _of(user: Any) -> list[str]:
    """What others know about the person, and about us."""
    known = [getattr(user, name, "") for name in ("email", "first_name", "last_name")]
    parts = [part for each in known if each for part in (each, *each.replace("@", ".").split("."))]
    return ["docbook", *(part[:80] for part in parts)]
