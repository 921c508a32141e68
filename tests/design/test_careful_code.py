"""What the product's code does not do, shown by reading all of it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from devstack.layout import ROOT

APPS = ("accounts", "bookings", "docbook", "doctors")
# Each opens connections only to addresses in the settings; the last one to public machines only.
MAY_CONNECT = {
    "docbook/notify/twilio_sms.py": {"requests", "twilio"},
    "docbook/notify/email.py": {"smtplib"},
    "docbook/notify/line.py": {"smtplib"},
    "docbook/notify/mail_gateway.py": {"smtplib"},
    "docbook/http/outside.py": {"http.client", "socket"},
}
# Reads what strangers wrote in a process that has no secrets and ends by itself.
MAY_START = {"doctors/services/calendar_reading.py": {"subprocess"}}
CONNECTS = {"requests", "urllib3", "httpx", "aiohttp", "socket", "smtplib", "ftplib", "twilio"}
CONNECTS |= {"http.client", "urllib.request", "ldap", "ldap3"}
STARTS_OR_TRUSTS = {"subprocess", "pickle", "marshal", "shelve", "xml", "lxml", "ctypes", "pty"}
RUNS_TEXT = {"eval", "exec", "compile", "__import__"}


def sources() -> Iterator[tuple[str, ast.Module]]:
    for app in APPS:
        for path in sorted((ROOT / app).rglob("*.py")):
            yield str(path.relative_to(ROOT)), ast.parse(path.read_text())


def imported(tree: ast.Module) -> set[str]:
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {each.name for each in node.names}
        if isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return names


def is_among(name: str, modules: set[str]) -> bool:
    return any(name == module or name.startswith(f"{module}.") for module in modules)


def calls(tree: ast.Module) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def name_of(call: ast.Call) -> str:
    return ast.unparse(call.func)


def test_only_the_named_modules_open_connections() -> None:
    for path, tree in sources():
        found = {name for name in imported(tree) if is_among(name, CONNECTS)}
        allowed = MAY_CONNECT.get(path, set())
        assert {name for name in found if not is_among(name, allowed)} == set(), path


def test_nothing_starts_a_program_or_reads_objects_xml_or_memory_of_others() -> None:
    for path, tree in sources():
        found = {name for name in imported(tree) if is_among(name, STARTS_OR_TRUSTS)}
        assert found == MAY_START.get(path, set()), path
        assert [call for call in calls(tree) if name_of(call).startswith("os.system")] == [], path


def test_no_text_is_run_as_code_as_a_template_or_as_html() -> None:
    for path, tree in sources():
        named = {name_of(call) for call in calls(tree)}
        assert named.isdisjoint(RUNS_TEXT | {"mark_safe", "Template", "engines.from_string"}), path


def test_patterns_are_fixed_texts() -> None:
    """A pattern made from a user's text could run forever, or mean something else."""
    for path, tree in sources():
        for call in calls(tree):
            if name_of(call) in {"re.compile", "re.match", "re.search", "re.sub", "re.fullmatch"}:
                pattern = call.args[0]
                fixed = isinstance(pattern, ast.Constant | ast.JoinedStr | ast.Name | ast.Call)
                assert fixed, (path, ast.unparse(call))
                names = {each.id for each in ast.walk(pattern) if isinstance(each, ast.Name)}
                assert all(name.strip("_").isupper() for name in names), (path, ast.unparse(call))


def test_secrets_come_from_the_source_of_the_system_and_digests_are_strong() -> None:
    for path, tree in sources():
        if not path.startswith("devstack/demo/"):
            assert "random" not in imported(tree), path
        text = (ROOT / path).read_text()
        assert "md5" not in text, path
        assert "sha1" not in text, path


@pytest.mark.parametrize(
    "path", sorted((ROOT / "static" / "js").glob("*.js")), ids=lambda p: p.name
)
def test_scripts_write_text_keep_nothing_and_listen_to_no_other_window(path: Path) -> None:
    text = path.read_text()
    unsafe = ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(")
    keeps = ("localStorage", "sessionStorage", "indexedDB", "document.cookie")
    listens = ("postMessage", '"message"', "__proto__", "Object.assign(")
    assert [word for word in (*unsafe, *keeps, *listens) if word in text] == []


def test_templates_put_no_text_of_people_into_a_page_unescaped() -> None:
    found = {
        str(path.relative_to(ROOT / "templates"))
        for path in (ROOT / "templates").rglob("*.html")
        if "|safe" in path.read_text() or "autoescape off" in path.read_text()
    }
    assert found == {"mfa/totp/activate_form.html"}  # the picture that allauth draws


def test_no_view_is_free_of_the_look_for_forged_forms() -> None:
    assert [path for path, _tree in sources() if "csrf_exempt" in (ROOT / path).read_text()] == []
