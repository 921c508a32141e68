"""Controls look as Django's templates would draw them, whatever they contain."""

import re
from typing import Any

import pytest
from django import forms
from django.forms.renderers import DjangoTemplates, get_default_renderer
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy
from hypothesis import given
from hypothesis import strategies as st

from docbook.http.form_renderer import FormRenderer

NASTY = """</option><b>&"' é"""
CHOICES = [("", gettext_lazy("Any day")), (NASTY, NASTY), (1, 1234567), (True, "yes")]
GROUPS = [("", "none"), (NASTY, [("a", "A"), (2, NASTY)]), ("last", [("b", "B")])]
WIDGETS = {
    "text": forms.TextInput(),
    "number": forms.NumberInput(attrs={"min": 0, "step": 1.5}),
    "email": forms.EmailInput(attrs={"autocomplete": "email", "required": True}),
    "tel": forms.TextInput(attrs={"type": "tel", "disabled": False, "data-x": NASTY}),
    "password": forms.PasswordInput(render_value=True),
    "hidden": forms.HiddenInput(),
    "date": forms.DateInput(attrs={"type": "date"}),
    "checkbox": forms.CheckboxInput(),
    "textarea": forms.Textarea(attrs={"rows": 3}),
    "select": forms.Select(choices=CHOICES),
    "groups": forms.Select(choices=GROUPS),
    "several": forms.SelectMultiple(choices=CHOICES),
    "radio": forms.RadioSelect(choices=CHOICES),
}
VALUES = [None, "", "a", NASTY, 1, 0, True, mark_safe("<i>marked</i>"), "\n two\n lines", [NASTY]]


def drawn(widget: forms.Widget, value: Any, renderer: Any) -> str:
    html = widget.render("field", value, {"id": "id_field"}, renderer=renderer)
    return re.sub(r"\s+(?=</?opt|</select)", "", html)  # nobody sees space between options


@pytest.mark.parametrize("value", VALUES, ids=repr)
@pytest.mark.parametrize("name", WIDGETS)
def test_control_is_drawn_as_by_its_template(name: str, value: Any) -> None:
    widget = WIDGETS[name]
    assert drawn(widget, value, FormRenderer()) == drawn(widget, value, DjangoTemplates())


@given(st.text(), st.dictionaries(st.text(min_size=1), st.text() | st.booleans(), max_size=3))
def test_control_is_drawn_as_by_its_template_for_any_text(
    value: str, attrs: dict[str, str | bool]
) -> None:
    for kind in (forms.TextInput, forms.Textarea):
        widget = kind(attrs=attrs)
        assert drawn(widget, value, FormRenderer()) == drawn(widget, value, DjangoTemplates())


def test_every_form_is_drawn_by_it() -> None:
    assert isinstance(get_default_renderer(), FormRenderer)
