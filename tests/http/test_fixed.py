"""The part of a page that is drawn once: `{% fixed %}`."""

from dataclasses import dataclass

import pytest
from django.template import Context, Engine, RequestContext, Template, TemplateSyntaxError
from django.template.backends.django import get_installed_libraries
from django.test import RequestFactory
from django.utils import translation

from docbook.http.templatetags import fixed
from docbook.http.templatetags.fixed import ForEverybody

LOAD = "{% load fixed i18n %}"


class Person:
    pass


@dataclass(frozen=True)
class Notices(ForEverybody):
    text: str


@dataclass(frozen=True)
class Ticket:
    day: str
    seconds: int = 0


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


def test_what_is_made_for_everybody_is_drawn_once_until_there_is_a_newer_one():
    template = Template(LOAD + "{% fixed page %}{% now 'u' %} {{ page.text }}{% endfixed %}")
    old, new = Notices("open"), Notices("open")

    drawn = [template.render(Context({"page": page})) for page in (old, old, new, new, old)]

    assert drawn[0] == drawn[1] != drawn[2] == drawn[3] != drawn[4]
    assert {each.split()[1] for each in drawn} == {"open"}


def test_blanks_are_filled_in_for_each_page():
    texts = "{{ t.day }}, {{ who }}, {{ t.day }}"
    source = "{% fixed nav blanks t who %}{% now 'u' %}|" + texts + "{% endfixed %}"
    template = Template(LOAD + source)

    drawn = [
        template.render(Context({"nav": "a", "t": Ticket(day), "who": who}))
        for day, who in (("Tue", "Iris"), ("Wed", "Jan"))
    ]

    words, filled_in = zip(*[each.split("|") for each in drawn], strict=True)
    assert filled_in == ("Tue, Iris, Tue", "Wed, Jan, Wed")
    assert words[0] == words[1]


def test_text_in_a_blank_is_escaped_and_numbers_are_written_as_elsewhere():
    source = "{% fixed blanks t %}<b title='{{ t.day }}'>{{ t.seconds }}</b>{% endfixed %}"
    template = Template(LOAD + source)

    assert template.render(Context({"t": Ticket("<'\"&>", 1234)})) == (
        "<b title='&lt;&#x27;&quot;&amp;&gt;'>1234</b>"
    )


def test_blank_can_be_a_part_of_a_translation():
    source = (
        "{% fixed blanks t %}{% blocktranslate with day=t.day %}On {{ day }}{% endblocktranslate %}"
        "{% endfixed %}"
    )
    template = Template(LOAD + source)

    drawn = [template.render(Context({"t": Ticket(day)})) for day in ("Tue", "A & B")]

    assert drawn == ["On Tue", "On A &amp; B"]


def test_text_that_looks_like_a_blank_stays_text():
    template = Template(LOAD + "{% fixed blanks t who %}{{ t.day }}{{ who }}{% endfixed %}")
    mark = str(fixed._Mark("who"))

    assert template.render(Context({"t": Ticket(mark), "who": "Iris"})) == f"{mark}Iris"


def test_form_in_a_fixed_part_has_the_token_of_its_visitor():
    template = Template(LOAD + "{% fixed blanks csrf_token %}{% csrf_token %}{% endfixed %}")

    def drawn() -> str:
        return template.render(RequestContext(RequestFactory().get("/"), {}))

    assert 'name="csrfmiddlewaretoken"' in drawn()
    assert drawn() != drawn()


@pytest.mark.parametrize(
    "asks",
    [
        "{% if t.day %}x{% endif %}",
        "{{ t.day|default:'x' }}",
        "{% blocktranslate count n=t.seconds %}a{% plural %}b{% endblocktranslate %}",
        "{{ t.day|upper }}",
        "{{ t.day|title }}",
    ],
)
def test_included_template_cannot_ask_for_what_is_in_a_blank(asks: str):
    template = Engine(
        loaders=[("django.template.loaders.locmem.Loader", {"asks.html": LOAD + asks})],
        libraries={each: get_installed_libraries()[each] for each in ("fixed", "i18n")},
    ).from_string(LOAD + "{% fixed blanks t %}{% include 'asks.html' %}{% endfixed %}")

    with pytest.raises(TemplateSyntaxError):
        template.render(Context({"t": Ticket("Tue", 1)}))


@pytest.mark.parametrize(
    "question",
    [
        "{% if t.n == 'phone' %}yes{% endif %}",
        "{% if 'phone' in t.n %}yes{% endif %}",
        "{% if not t %}yes{% endif %}",
        "{% for each in t.all %}{{ each }}{% endfor %}",
        "{{ t.n|urlencode }}",
        "{{ t.n|length }}",
        "{{ t|default:'x' }}",
        "{% with u=t.n %}{{ u }}{% endwith %}",
        "{% blocktranslate count n=t.n %}one{% plural %}{{ n }}{% endblocktranslate %}",
        "{% blocktranslate with n=t.n|upper %}{{ n }}{% endblocktranslate %}",
        "{% if a %}{% if t.n %}yes{% endif %}{% endif %}",
    ],
)
def test_question_about_a_blank_is_no_template(question: str) -> None:
    with pytest.raises(TemplateSyntaxError, match="asks for what is in a blank"):
        Template(f"{LOAD}{{% fixed a blanks t %}}{question}{{% endfixed %}}")
