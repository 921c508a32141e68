"""A field as a screen reader meets it."""

import re

from django import forms
from django.template.loader import render_to_string


class Contact(forms.Form):
    email = forms.EmailField(help_text="We send the code here.")
    phone = forms.CharField(required=False)


def _render(form: forms.Form, name: str) -> str:
    return render_to_string("components/field.html", {"field": form[name]})


def test_the_control_names_its_hint_and_its_message() -> None:
    html = _render(Contact({"email": "nobody"}), "email")

    named = re.search(r'aria-describedby="([^"]+)"', html)
    assert named is not None
    assert all(f'id="{each}"' in html for each in named[1].split())
    assert 'aria-invalid="true"' in html
    assert "Enter a valid email address." in html


def test_a_label_points_at_its_control_and_says_what_is_optional() -> None:
    required, optional = (_render(Contact(), name) for name in ("email", "phone"))

    assert '<label for="id_phone">Phone <span class="field-optional">Optional</span>' in optional
    assert "Optional" not in required


def test_two_mistakes_are_listed_on_top_with_links_and_one_is_not() -> None:
    class Both(Contact):
        phone = forms.CharField()

    two = render_to_string("components/form_errors.html", {"form": Both({})})
    one = render_to_string("components/form_errors.html", {"form": Contact({})})

    assert 'href="#id_email"' in two
    assert 'href="#id_phone"' in two
    assert "<a" not in one
