"""The API's documentation can be read in a browser."""

import re

from django.conf import settings
from django.test import Client


def test_documentation_loads_each_of_its_files_from_this_host() -> None:
    page = Client().get("/api/v1/docs/").content.decode()
    found = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert any("script=" in address for address in found)
    for address in found:
        answer = Client().get(address)
        assert answer.status_code == 200, address


def test_documentation_starts_itself_with_our_description() -> None:
    page = Client().get("/api/v1/docs/").content.decode()
    (start,) = re.findall(r'<script src="([^"]*script=[^"]*)"', page)
    script = Client().get(start)
    assert script.headers["Content-Type"].startswith("application/javascript")
    assert "SwaggerUIBundle" in script.content.decode()
    assert "/api/v1/schema/" in script.content.decode()


def test_documentation_needs_nothing_inline_and_names_its_language() -> None:
    page = Client().get("/api/v1/docs/").content.decode()
    assert "<style" not in page
    assert f'<html lang="{settings.LANGUAGE_CODE}">' in page
    assert "<main" in page
    assert "<h1" in page
