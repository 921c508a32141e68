"""`{% fixed %}`: parts of a page that are the same for everybody, drawn once."""

import logging
import re
from collections.abc import Callable, Iterator, Sequence
from html import escape
from operator import attrgetter, is_
from typing import Any

from django import template
from django.template.base import (
    FilterExpression,
    Node,
    NodeList,
    Parser,
    Token,
    VariableNode,
    render_value_in_context,
)
from django.template.context import Context
from django.template.loader_tags import BlockNode, IncludeNode
from django.template.smartif import TokenBase
from django.templatetags.i18n import BlockTranslateNode
from django.utils.safestring import SafeString
from django.utils.translation import get_language

logger = logging.getLogger(__name__)
register = template.Library()

_PLAIN = (str, SafeString, bool, int, type(None))
# A variable with more values than this does not belong in a fixed part.
_MOST_KEPT = 100
# No text has these two characters. The letters between them show whether a filter has changed them.
_SIGN = "\ufdd0"
_MARK = re.compile(f"{_SIGN}aZ([a-z0-9_.]+)\ufdd1")


class ForEverybody:
    """A page object that holds nothing of a visitor. One object is shown to everybody until a newer
    one takes its place.
    """


class FixedNode(Node):
    """Draws its contents once for each language, and for each value of the variables it names.

    The contents see only those variables: no user, no form, no token. So what is kept can belong to
    nobody. Of an object that is made for everybody, the drawing of the newest one is kept.

    What differs from visitor to visitor is a blank: drawn as a gap, and filled in for each page.
    Contents may only write a blank. A template that asks for its value, with a condition or a
    filter, is refused; included ones are not looked at before they are drawn.
    """

    def __init__(
        self, nodelist: NodeList, variables: dict[str, FilterExpression], blanks: list[str]
    ) -> None:
        self.nodelist = nodelist
        self.variables = variables
        self.blanks = blanks
        self.kept: dict[tuple[object, ...], _Drawing] = {}

    def render(self, context: Context) -> str:
        values = {name: each.resolve(context) for name, each in self.variables.items()}
        key: list[object] = [get_language()]
        shared = []
        for name, value in values.items():
            if isinstance(value, ForEverybody):
                shared.append(value)
            elif type(value) in _PLAIN:
                # With its type: 1 and True are equal, but are not drawn alike.
                key += (type(value), value)
            else:
                return self._draw_unkept(values, context, f"{name} is a {type(value).__name__}")
        drawing = self.kept.get(tuple(key))
        if drawing is None and len(self.kept) >= _MOST_KEPT:
            return self._draw_unkept(values, context, f"{', '.join(values)}: too many values")
        if drawing is None or not all(map(is_, drawing.shared, shared)):
            drawing = self.kept[tuple(key)] = self._draw(values, context, shared)
        return drawing.filled_in(context)

    def _draw(
        self, values: dict[str, Any], context: Context, shared: Sequence[ForEverybody] = ()
    ) -> "_Drawing":
        marks = {name: _mark(name) for name in self.blanks}
        html = self.nodelist.render(context.new(values | marks))
        pieces: list[str] = _MARK.split(html) if marks else [html]
        if marks and any(_SIGN in piece for piece in pieces):
            raise template.TemplateSyntaxError("fixed: a filter has changed a blank.")
        return _Drawing(pieces, shared)

    def _draw_unkept(self, values: dict[str, Any], context: Context, fault: str) -> str:
        """A visitor still gets the page. In tests the log line is a failure."""
        logger.error("A fixed part of %s is not kept: %s.", self.origin.template_name, fault)
        return self._draw(values, context).filled_in(context)


class _Drawing:
    """The words before, between and after the blanks. A blank is a variable, or an attribute of
    one: "ticket.day".
    """

    def __init__(self, pieces: list[str], shared: Sequence[ForEverybody]) -> None:
        """At odd places, the pieces are paths of blanks."""
        self._pieces, self.shared = pieces, shared
        places: dict[str, list[int]] = {}
        for place in range(1, len(pieces), 2):
            places.setdefault(pieces[place], []).append(place)
        self._blanks = [(*_parts(path), found) for path, found in places.items()]

    def filled_in(self, context: Context) -> str:
        if not self._blanks:
            return self._pieces[0]
        pieces = self._pieces.copy()
        for name, attribute_of, places in self._blanks:
            value = context[name]
            text = _text(attribute_of(value) if attribute_of else value, context)
            for place in places:
                pieces[place] = text
        return "".join(pieces)


def _parts(path: str) -> tuple[str, Callable[[Any], Any] | None]:
    """The name of the variable, and how to get from there to the value."""
    name, _dot, attributes = path.partition(".")
    return name, attrgetter(attributes) if attributes else None


def _text(value: Any, context: Context) -> str:
    """As `{{ value }}` writes it. Most values are plain text, which needs less work."""
    if type(value) is str:
        return escape(value) if context.autoescape else value
    return render_value_in_context(value, context)


class _Mark:
    """Stands for a blank while the words around it are drawn."""

    def __init__(self, path: str) -> None:
        self._path = path

    def __getattr__(self, name: str) -> "_Mark":
        if name.startswith("_"):
            raise AttributeError(name)
        return _Mark(f"{self._path}.{name}")

    def __str__(self) -> str:
        return f"{_SIGN}aZ{self._path}\ufdd1"

    def __bool__(self) -> bool:
        raise template.TemplateSyntaxError(f"fixed: {self._path} is a blank, so nothing is known.")


def _mark(name: str) -> _Mark | str:
    """`{% csrf_token %}` asks whether there is a token. There always is."""
    return str(_Mark(name)) if name == "csrf_token" else _Mark(name)


def _refuse_questions(node: Node, blanks: Sequence[str]) -> None:
    """A blank may be written, also inside a translated text, and handed to an included template.
    Filters and conditions would see the mark instead of the value.
    """
    written = [node.filter_expression] if isinstance(node, VariableNode) else []
    if isinstance(node, BlockTranslateNode | IncludeNode):
        written = list(node.extra_context.values())
    for expression in _expressions(vars(node)):
        name = str(expression.var).partition(".")[0]
        is_written = any(expression is each for each in written) and not expression.filters
        if name in blanks and not is_written:
            raise template.TemplateSyntaxError(f"fixed: {expression} asks for what is in a blank.")


def _expressions(found: object) -> Iterator[FilterExpression]:
    """In what a node keeps, except in the nodes inside it."""
    if isinstance(found, FilterExpression):
        yield found
    elif isinstance(found, dict):
        yield from _expressions(list(found.values()))
    elif isinstance(found, list | tuple) and not isinstance(found, NodeList):
        for each in found:
            yield from _expressions(each)
    elif isinstance(found, TokenBase):
        yield from _expressions([found.first, found.second, found.value])


@register.tag
def fixed(parser: Parser, token: Token) -> FixedNode:
    """`{% fixed %}…{% endfixed %}`; or `{% fixed nav sent=form.sent %}…` for contents that use
    `nav` and `sent`; or `{% fixed nav blanks ticket csrf_token %}…` for contents that also write
    `{{ ticket.day }}`, which differs from page to page.
    """
    _tag, *bits = token.split_contents()
    named, blanks = bits, []
    if "blanks" in bits:
        place = bits.index("blanks")
        named, blanks = bits[:place], bits[place + 1 :]
    variables = {}
    for bit in named:
        name, _is, expression = bit.partition("=")
        variables[name] = parser.compile_filter(expression or name)
    nodelist = parser.parse(("endfixed",))
    parser.delete_first_token()
    if nodelist.get_nodes_by_type(BlockNode):
        raise template.TemplateSyntaxError("fixed: a block differs from page to page.")
    for node in nodelist.get_nodes_by_type(Node):
        _refuse_questions(node, blanks)
    return FixedNode(nodelist, variables, blanks)
