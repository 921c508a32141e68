"""`{% fixed %}`: parts of a page that are the same for everybody, drawn once."""

import logging
from typing import Any

from django import template
from django.template.base import FilterExpression, Node, NodeList, Parser, Token
from django.template.context import Context
from django.template.loader_tags import BlockNode
from django.utils.safestring import SafeString
from django.utils.translation import get_language

logger = logging.getLogger(__name__)
register = template.Library()

_PLAIN = (str, bool, int, type(None))
# A variable with more values than this does not belong in a fixed part.
_MOST_KEPT = 100


class FixedNode(Node):
    """Draws its contents once for each language, and for each value of the variables it names.

    The contents see only those variables: no user, no form, no token. So what is kept can belong to
    nobody.
    """

    def __init__(self, nodelist: NodeList, variables: dict[str, FilterExpression]) -> None:
        self.nodelist = nodelist
        self.variables = variables
        self.kept: dict[tuple[object, ...], SafeString] = {}

    def render(self, context: Context) -> SafeString:
        values = {name: each.resolve(context) for name, each in self.variables.items()}
        for name, value in values.items():
            if type(value) not in _PLAIN:
                return self._draw_unkept(values, context, f"{name} is a {type(value).__name__}")
        # With its type: 1 and True are equal, but are not drawn alike.
        key = (get_language(), *((type(value), value) for value in values.values()))
        if key not in self.kept:
            if len(self.kept) >= _MOST_KEPT:
                return self._draw_unkept(values, context, f"{', '.join(values)}: too many values")
            self.kept[key] = self.nodelist.render(context.new(values))
        return self.kept[key]

    def _draw_unkept(self, values: dict[str, Any], context: Context, fault: str) -> SafeString:
        """A visitor still gets the page. In tests the log line is a failure."""
        logger.error("A fixed part of %s is not kept: %s.", self.origin.template_name, fault)
        return self.nodelist.render(context.new(values))


@register.tag
def fixed(parser: Parser, token: Token) -> FixedNode:
    """`{% fixed %}…{% endfixed %}`, or `{% fixed nav sent=form.sent %}…` for contents that use
    `nav` and `sent`.
    """
    variables = {}
    for bit in token.split_contents()[1:]:
        name, _is, expression = bit.partition("=")
        variables[name] = parser.compile_filter(expression or name)
    nodelist = parser.parse(("endfixed",))
    parser.delete_first_token()
    if nodelist.get_nodes_by_type(BlockNode):
        raise template.TemplateSyntaxError("fixed: a block differs from page to page.")
    return FixedNode(nodelist, variables)
