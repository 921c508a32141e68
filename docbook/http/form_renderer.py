"""Draws the controls of forms."""

from collections.abc import Callable, Mapping
from html import escape
from typing import Any

from django.forms.renderers import DjangoTemplates
from django.http import HttpRequest
from django.utils.formats import localize


class FormRenderer(DjangoTemplates):
    """Draws inputs, lists and text areas as Django's templates do, but without them.

    A page of results has seven controls with a hundred options. As templates they took 5 ms of
    CPU, here they take 0.3 ms.
    """

    def render(
        self, template_name: str, context: dict[str, Any], request: HttpRequest | None = None
    ) -> str:
        draw = _DRAWN.get(template_name)
        return draw(context["widget"]) if draw else super().render(template_name, context, request)


def _input(widget: Mapping[str, Any]) -> str:
    value = widget["value"]
    shown = "" if value is None else f' value="{_escaped(value)}"'
    name = _escaped(widget["name"])
    return f'<input type="{widget["type"]}" name="{name}"{shown}{_attributes(widget)}>'


def _textarea(widget: Mapping[str, Any]) -> str:
    # A browser drops the first line break, and only that one.
    text = _text(widget["value"]) if widget["value"] else ""
    return f'<textarea name="{_escaped(widget["name"])}"{_attributes(widget)}>\n{text}</textarea>'


def _select(widget: Mapping[str, Any]) -> str:
    groups = "".join(
        _group(name, "".join(map(_option, options))) for name, options, _ in widget["optgroups"]
    )
    return f'<select name="{_escaped(widget["name"])}"{_attributes(widget)}>{groups}</select>'


def _group(name: str | None, options: str) -> str:
    return f'<optgroup label="{_text(name)}">{options}</optgroup>' if name else options


def _option(option: Mapping[str, Any]) -> str:
    value = _escaped(option["value"])
    return f'<option value="{value}"{_attributes(option)}>{_text(option["label"])}</option>'


def _attributes(widget: Mapping[str, Any]) -> str:
    return "".join(
        f" {_escaped(name)}" if value is True else f' {_escaped(name)}="{_escaped(value)}"'
        for name, value in widget["attrs"].items()
        if value is not False
    )


def _text(value: Any) -> str:
    """As people write it in this language."""
    return _escaped(value if isinstance(value, str) else localize(value))


def _escaped(value: Any) -> str:
    """Escaped as in templates: text marked as HTML stays."""
    return value if hasattr(value, "__html__") else escape(str(value))


_INPUTS = ("input", "text", "number", "email", "tel", "search", "url", "password", "hidden")
_DRAWN: dict[str, Callable[[Mapping[str, Any]], str]] = {
    **{f"django/forms/widgets/{name}.html": _input for name in (*_INPUTS, "date", "checkbox")},
    "django/forms/widgets/textarea.html": _textarea,
    "django/forms/widgets/select.html": _select,
}
