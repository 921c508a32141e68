"""Translatable names of spoken languages, by ISO 639-1 code."""

from django.conf.locale import LANG_INFO
from django.utils.translation import gettext as _


def language_name(code: str) -> str:
    """The English name, translated; the code itself if it is unknown."""
    info = LANG_INFO.get(code, {})
    return _(info["name"]) if "name" in info else code
