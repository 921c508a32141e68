"""A browser without scripts, through Django's test client."""

import re
from html.parser import HTMLParser
from typing import Any

from django.http import HttpResponse
from django.test import Client

from accounts.models import User

HTMX = {"HX-Request": "true"}


def signed_in(user: User | None = None) -> Client:
    browser = Client()
    if user is not None:
        browser.force_login(user)
    return browser


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []

    def handle_data(self, data: str) -> None:
        self.parts.append(data)


def words(response: HttpResponse) -> str:
    """The text of a page as a reader sees it."""
    return _text(response.content.decode())


def _text(html: str) -> str:
    parser = _Text()
    parser.feed(html)
    return re.sub(r"\s+", " ", " ".join(parser.parts)).strip()


def swapped(response: HttpResponse) -> str:
    """The text of the fragment itself, without the title and the parts that htmx puts elsewhere."""
    text = response.content.decode()
    main = re.split(r"<title>|<\w+[^>]*\shx-swap-oob=", text, maxsplit=1)[0]
    return _text(main)


class _Values(HTMLParser):
    """Values of inputs, text areas and choices by name."""

    def __init__(self) -> None:
        super().__init__()
        self.values: dict[str, str] = {}
        self._area = self._choice = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given: dict[str, Any] = dict(attrs)
        if tag == "input" and "name" in given:
            self.values[given["name"]] = given.get("value") or ""
        elif tag == "textarea":
            self._area = given["name"]
            self.values[self._area] = ""
        elif tag == "select":
            self._choice = given["name"]
        elif tag == "option" and "selected" in given:
            self.values[self._choice] = given.get("value") or ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self._area = ""

    def handle_data(self, data: str) -> None:
        if self._area:
            self.values[self._area] += data


def typed(response: HttpResponse) -> dict[str, str]:
    """The values in the fields of a page."""
    parser = _Values()
    parser.feed(response.content.decode())
    return {name: value.strip() for name, value in parser.values.items()}


class _Buttons(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "button" and given.get("name"):
            self.found.append((given["name"] or "", given.get("value") or ""))


def offered_slots(response: HttpResponse) -> list[int]:
    """The times on a page that can be tapped."""
    parser = _Buttons()
    parser.feed(response.content.decode())
    return [int(value) for name, value in parser.found if name == "slot"]


def is_whole_page(response: HttpResponse) -> bool:
    return b"<!doctype html" in response.content.lower()
