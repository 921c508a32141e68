"""Small parts for every template."""

from functools import lru_cache

from django import template
from django.template.base import FilterExpression, Node, Parser, Token
from django.template.context import Context
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()

# Arrows and doors follow the reading direction. A clock or a check is never mirrored.
MIRRORED = frozenset(
    {"arrow-left", "arrow-right", "chevron-left", "chevron-right", "log-in", "log-out", "undo-2"}
)


@register.tag
def icon(parser: Parser, token: Token) -> Node:
    """`{% icon name %}` or `{% icon name size %}`: an icon of lucide from our sprite. "bare" is for
    pages with hundreds: their own sheet says how large it is.

    A node of its own, because a page has fifty, and `simple_tag` takes 8 us to ask for each.
    """
    _tag, *arguments = token.split_contents()
    return _Icon([parser.compile_filter(each) for each in arguments])


class _Icon(Node):
    def __init__(self, arguments: list[FilterExpression]) -> None:
        self.arguments = arguments

    def render(self, context: Context) -> SafeString:
        return _drawn(*[each.resolve(context) for each in self.arguments])


@lru_cache
def _drawn(name: str, size: str = "") -> SafeString:
    """It is decoration: there is always a word beside it."""
    if size == "bare":
        bare = '<svg class="icon" aria-hidden="true"><use href="{}#{}"/></svg>'
        return format_html(bare, static("icons.svg"), name)
    classes = " ".join(
        part
        for part in ("icon", size and f"icon-{size}", "icon-mirrored" if name in MIRRORED else "")
        if part
    )
    return format_html(
        '<svg class="{}" aria-hidden="true" focusable="false" viewBox="0 0 24 24" '
        'width="20" height="20"><use href="{}#{}"></use></svg>',
        classes,
        static("icons.svg"),
        name,
    )


@register.filter
def dialled(phone: str) -> str:
    """The number for a `tel:` address, without spaces: "+31 30 555 01 42" → "+31305550142"."""
    return "".join(sign for sign in phone if sign.isdecimal() or sign in "+*#")


@register.filter
def without_fragment(url: str) -> str:
    """For hx-get: with a fragment htmx would scroll there, even if all of it is in view."""
    return url.partition("#")[0]
