"""A browser without a screen. It keeps cookies and sends the forms that it finds on a page."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.cookiejar import CookieJar
from urllib.parse import urlencode, urljoin
from urllib.request import HTTPCookieProcessor, OpenerDirector, Request, build_opener

TIMEOUT = 30.0


@dataclass
class Form:
    action: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: dict[str, str] = field(default_factory=dict)


class _Reader(HTMLParser):
    """Forms, and addresses of links by class or id."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: list[dict[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(given.get("action", "")))
        elif tag == "a":
            self.links.append(given)
        elif self.forms and tag in ("input", "select") and given.get("name"):
            self.forms[-1].fields[given["name"]] = given.get("value", "")
        elif self.forms and tag == "button" and given.get("name"):
            self.forms[-1].buttons.setdefault(given["name"], given.get("value", ""))


@dataclass(frozen=True)
class Page:
    url: str
    html: str

    def form(self, *, action: str) -> Form:
        """The first form whose address contains this text."""
        return next(form for form in self._read().forms if action in form.action)

    def links(self, *, css: str) -> list[dict[str, str]]:
        """Attributes of the links with this class."""
        return [each for each in self._read().links if css in each.get("class", "").split()]

    def _read(self) -> _Reader:
        reader = _Reader()
        reader.feed(self.html)
        return reader


class Browser:
    def __init__(self, url: str) -> None:
        self.url = url
        self._cookies = CookieJar()
        self._opener: OpenerDirector = build_opener(HTTPCookieProcessor(self._cookies))

    @property
    def cookie_line(self) -> str:
        """The header that makes another client look like this browser; empty without cookies."""
        pairs = "; ".join(f"{each.name}={each.value}" for each in self._cookies)
        return f"Cookie: {pairs}\r\n" if pairs else ""

    def get(self, path: str) -> Page:
        return self._open(Request(urljoin(self.url, path)))  # noqa: S310 - our own server

    def send(self, page: Page, form: Form, **filled: str) -> Page:
        """Raises HTTPError if the answer is no page."""
        address = urljoin(page.url, form.action)
        body = urlencode({**form.fields, **filled}).encode()
        request = Request(address, data=body)  # noqa: S310 - our own server
        request.add_header("Origin", self.url)
        request.add_header("Referer", page.url)
        return self._open(request)

    def _open(self, request: Request) -> Page:
        with self._opener.open(request, timeout=TIMEOUT) as answer:
            return Page(answer.url, answer.read().decode())
