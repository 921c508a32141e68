"""Static files as a server has them: each stylesheet whole, compressed, named by its content."""

import gzip
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.test import Client

from devstack.layout import ROOT
from docbook.http.static_files import whole_sheet
from docbook.settings import static

CORE = """
/* Ours. */
@layer pico, base;
@import url("../vendor/pico.css") layer(pico);
@import url("base.css");
"""
SHEETS = {
    "css/core.css": CORE.lstrip(),
    "vendor/pico.css": '/*! MIT */\na {\n  background: url("sign.svg");\n}\n',
    "css/base.css": '@layer base {\n  a {\n    src: url("../fonts/face.woff2");\n  }\n}\n',
    "css/pages/home.css": '@import url("../base.css");\n\n@layer pages {\n}\n',
}


def whole(name: str) -> str:
    return whole_sheet(name, read=SHEETS.__getitem__)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `collectstatic` makes of our files."""
    path = tmp_path_factory.mktemp("collected")
    subprocess.run(
        [sys.executable, "manage.py", "collectstatic", "--no-input"],
        cwd=ROOT,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "docbook.settings.dev",
            "STATIC_ROOT": str(path),
        },
        capture_output=True,
        check=True,
    )
    return path


@pytest.fixture
def names(folder: Path) -> dict[str, str]:
    return dict(json.loads((folder / "staticfiles.json").read_text())["paths"])


def test_sheet_holds_what_it_imports_in_the_place_of_the_import() -> None:
    assert whole("css/core.css") == (
        '@layer pico, base;\n@layer pico {\n/*! MIT */\na {\nbackground: url("../vendor/sign.svg");'
        '\n}\n}\n@layer base {\na {\nsrc: url("../fonts/face.woff2");\n}\n}\n'
    )


def test_addresses_of_an_imported_sheet_lead_to_the_same_files_from_another_folder() -> None:
    assert 'url("../../fonts/face.woff2")' in whole("css/pages/home.css")


def test_no_collected_sheet_sends_the_browser_for_another(folder: Path) -> None:
    sheets = [*folder.glob("css/**/*.css")]
    assert len(sheets) > 20
    assert [str(sheet) for sheet in sheets if "@import" in sheet.read_text()] == []


def test_core_sheet_begins_with_the_order_of_the_layers_and_keeps_the_licence(folder: Path) -> None:
    core = (folder / "css/core.css").read_text()
    assert core.startswith("@layer pico, tokens, base, components, pages, adjustments;")
    assert "MIT licence" in core


def test_files_in_a_sheet_go_by_the_names_of_their_content(
    folder: Path, names: dict[str, str]
) -> None:
    core = (folder / names["css/core.css"]).read_text()
    face = names["fonts/figtree-latin.woff2"]
    assert re.fullmatch(r"fonts/figtree-latin\.[0-9a-f]{12}\.woff2", face)
    assert f'url("../{face}")' in core


def test_browser_gets_a_file_compressed_and_may_keep_it_for_a_year(
    settings: type[django_settings], folder: Path, names: dict[str, str]
) -> None:
    settings.STATIC_ROOT, settings.STORAGES = str(folder), static.STORAGES
    settings.WHITENOISE_USE_FINDERS = settings.WHITENOISE_AUTOREFRESH = False
    browser = Client(headers={"Accept-Encoding": "gzip"})
    answer = browser.get(f"/static/{names['css/core.css']}")
    headers = answer.headers
    assert headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(answer.getvalue()) == (folder / names["css/core.css"]).read_bytes()
    assert "immutable" in headers["Cache-Control"]
    assert int(re.findall(r"max-age=(\d+)", headers["Cache-Control"])[0]) >= 365 * 24 * 60 * 60
    by_its_plain_name = browser.get("/static/css/core.css").headers["Cache-Control"]
    assert "immutable" not in by_its_plain_name
