"""The part of a page that is drawn once: `{% fixed %}`."""

import pytest
from django.template import Context, RequestContext, Template, TemplateSyntaxError
from django.test import RequestFactory
from django.utils import translation

LOAD = "{% load fixed i18n %}"


class Person:
    pass


def test_contents_are_drawn_once():
    template = Template(LOAD + "{% fixed %}{% now 'u' %}{% endfixed %}")

    assert template.render(Context()) == template.render(Context())


def test_each_value_of_a_named_variable_has_contents_of_its_own():
    template = Template(LOAD + "{% fixed nav %}[{{ nav }}]{% endfixed %}")

    drawn = [template.render(Context({"nav": nav})) for nav in ("a", "b", "a", True, None)]

    assert drawn == ["[a]", "[b]", "[a]", "[True]", "[None]"]


def test_variable_may_be_named_after_what_it_comes_from():
    template = Template(LOAD + "{% fixed a=page.a b=page.b|upper %}[{{ a }}{{ b }}]{% endfixed %}")

    assert template.render(Context({"page": {"a": 1, "b": "x"}})) == "[1X]"


def test_each_language_has_contents_of_its_own():
    template = Template(LOAD + "{% fixed %}{% translate 'Yes' %}{% endfixed %}")

    with translation.override("en"):
        assert template.render(Context()) == "Yes"
    with translation.override("nl"):
        assert template.render(Context()) == "Ja"


def test_contents_see_nothing_that_belongs_to_the_visitor():
    request = RequestFactory().get("/")
    page = RequestContext(request, {"name": "Iris"})
    template = Template(
        LOAD + "{% fixed %}[{{ name }}{{ request.path }}{{ csrf_token }}]{% endfixed %}{{ name }}"
    )

    assert template.render(page) == "[]Iris"


def test_values_that_hold_more_than_they_show_are_refused():
    template = Template(LOAD + "{% fixed user %}{{ user }}{% endfixed %}")

    with pytest.raises(TypeError, match="user is a Person"):
        template.render(Context({"user": Person()}))


def test_variable_of_many_values_is_refused():
    template = Template(LOAD + "{% fixed page %}{{ page }}{% endfixed %}")

    for page in range(100):
        template.render(Context({"page": page}))

    with pytest.raises(ValueError, match="page take too many values"):
        template.render(Context({"page": 100}))


def test_block_cannot_be_fixed():
    with pytest.raises(TemplateSyntaxError, match="a block differs"):
        Template(LOAD + "{% fixed %}{% block title %}{% endblock %}{% endfixed %}")
