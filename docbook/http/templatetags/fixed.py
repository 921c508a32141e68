"""`{% fixed %}`: parts of a page that are the same for everybody, drawn once."""

from typing import Any

from django import template
from django.template.base import FilterExpression, Node, NodeList, Parser, Token
from django.template.context import Context
from django.template.loader_tags import BlockNode
from django.utils.safestring import SafeString
from django.utils.translation import get_language

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
        key = (get_language(), *values.values())
        if key not in self.kept:
            self._keep(key, values, context)
        return self.kept[key]

    def _keep(self, key: tuple[object, ...], values: dict[str, Any], context: Context) -> None:
        for name, value in values.items():
            if type(value) not in _PLAIN:
                raise TypeError(f"fixed: {name} is a {type(value).__name__}, not a plain value.")
        if len(self.kept) >= _MOST_KEPT:
            raise ValueError(f"fixed: {', '.join(values)} take too many values.")
        self.kept[key] = self.nodelist.render(context.new(values))


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
