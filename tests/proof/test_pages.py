import pytest

from devstack.layout import ROOT
from devstack.refusals import Refusal
from proof.browser import Page
from proof.revisions import code_of, commands_of

needs_git = pytest.mark.skipif(not (ROOT / ".git").exists(), reason="these files are no clone")

HTML = """
<form action="/search/"><input name="q" value="x"></form>
<form action="/book/">
  <input type="hidden" name="visit_type" value="3"><input type="text">
  <button name="slot" value="7">10:00</button><button name="slot" value="8">10:20</button>
</form>
<a class="day day-free" href="/doctors/a/?date=2026-12-01#times">1</a><a class="day">2</a>
"""


def test_form_is_found_by_its_address_with_what_it_sends_and_its_first_button():
    form = Page(url="", html=HTML).form(action="/book/")

    assert form.fields == {"visit_type": "3"}
    assert form.buttons == {"slot": "7"}


def test_link_is_found_by_its_class():
    (link,) = Page(url="", html=HTML).links(css="day-free")

    assert link["href"].endswith("#times")


@needs_git
def test_code_of_a_revision_says_itself_how_its_processes_start(tmp_path):
    with code_of("HEAD") as code:
        commands = commands_of(code, port=4321, schedule=tmp_path / "beat")

    assert list(commands) == ["web", "worker", "upkeep", "relay", "beat"]
    assert "4321" in commands["web"]
    assert str(code / "manage.py") in commands["relay"]
    assert str(tmp_path / "beat") in commands["beat"]
    assert not code.exists()


@needs_git
def test_revision_that_does_not_exist_is_refused_by_name():
    with pytest.raises(Refusal, match="no-such-revision"), code_of("no-such-revision"):
        pass
