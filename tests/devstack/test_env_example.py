import re

from devstack.layout import ROOT

READ = re.compile(r"""(?:\benv(?:\.[a-z_]+)?|\b(?:optional_)?secret(?:_ring)?)\(\s*"([A-Z_]+)\"""")
LISTED = re.compile(r"^(?:# )?([A-Z_]+)=", re.MULTILINE)


def _read_by_settings() -> set[str]:
    folder = ROOT / "docbook" / "settings"
    return {name for path in folder.glob("*.py") for name in READ.findall(path.read_text())}


def _listed() -> set[str]:
    return set(LISTED.findall((ROOT / ".env.example").read_text()))


def test_every_setting_that_is_read_is_listed_and_explained():
    assert len(_read_by_settings()) > 10
    assert _read_by_settings() - _listed() == set()


def test_the_compose_file_knows_every_setting_of_a_server():
    only_elsewhere = {"DEBUG", "DEV_MAILDIR", "STATIC_ROOT"}
    compose = (ROOT / "docker-compose.yml").read_text()

    assert {name for name in _read_by_settings() if f" {name}:" not in compose} == only_elsewhere


def test_every_secret_reaches_the_containers_as_a_file_too():
    folder = ROOT / "docbook" / "settings"
    secret = re.compile(r"""\b(?:optional_)?secret(?:_ring)?\(\s*"([A-Z_]+)\"""")
    names = {name for path in folder.glob("*.py") for name in secret.findall(path.read_text())}
    compose = (ROOT / "docker-compose.yml").read_text()
    assert {"SECRET_KEY", "DATABASE_PASSWORD", "SMS_URL"} <= names
    assert {name for name in names if f" {name}_FILE:" not in compose} == set()
