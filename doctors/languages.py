"""Names of spoken languages, by ISO 639-1 code, in words that can be translated."""

from django.conf.locale import LANG_INFO
from django.utils.translation import gettext as _


def language_name(code: str) -> str:
    """English name, translated; the code itself where nobody knows it."""
    info = LANG_INFO.get(code, {})
    return _(info["name"]) if "name" in info else code
