"""The part of a page that is drawn once: `{% fixed %}`."""

import pytest
from django.template import Context, RequestContext, Template, TemplateSyntaxError
from django.test import RequestFactory
from django.utils import translation

from docbook.http.templatetags import fixed

LOAD = "{% load fixed i18n %}"


class Person:
    pass


@pytest.fixture
def _faults_are_only_logged(monkeypatch: pytest.MonkeyPatch) -> None:
    """As outside of tests."""
    monkeypatch.setattr(fixed.logger, "handlers", [])


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


def test_equal_values_of_different_types_are_drawn_apart():
    template = Template(LOAD + "{% fixed n %}{{ n }}{% endfixed %}")

    assert [template.render(Context({"n": n})) for n in (1, True, 0, False)] == [
        "1",
        "True",
        "0",
        "False",
    ]


@pytest.mark.usefixtures("_faults_are_only_logged")
@pytest.mark.parametrize("value", [Person(), ["unhashable"]])
def test_values_that_hold_more_than_they_show_are_not_kept(value, caplog):
    template = Template(LOAD + "{% fixed user %}{% now 'u' %}{{ user }}{% endfixed %}")

    drawn = {template.render(Context({"user": value})) for _n in range(3)}

    assert len(drawn) == 3
    assert f"not kept: user is a {type(value).__name__}" in caplog.text


@pytest.mark.usefixtures("_faults_are_only_logged")
def test_variable_of_many_values_is_drawn_but_not_kept(caplog):
    template = Template(LOAD + "{% fixed page %}{{ page }}{% endfixed %}")

    drawn = [template.render(Context({"page": page})) for page in range(101)]

    assert drawn == [str(page) for page in range(101)]
    assert "not kept: page: too many values" in caplog.text


def test_fault_in_a_fixed_part_fails_a_test():
    with pytest.raises(AssertionError, match="user is a Person"):
        Template(LOAD + "{% fixed user %}{{ user }}{% endfixed %}").render(
            Context({"user": Person()})
        )


def test_block_cannot_be_fixed():
    with pytest.raises(TemplateSyntaxError, match="a block differs"):
        Template(LOAD + "{% fixed %}{% block title %}{% endblock %}{% endfixed %}")
