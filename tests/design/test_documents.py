"""Documents for people: in plain English, and complete where they claim to be."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.core import mail
from django.test import Client

from bookings.models import Hold
from tests.accounts.post import deliver
from tests.bookings.acts import bookable
from tests.bookings.receiving import receive
from tests.factories import make_patient

ROOT = Path(settings.BASE_DIR)
READ_BY_PEOPLE = [
    *(ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", ".env.example")),
    *(ROOT / "docs").glob("**/*.md"),
    *(ROOT / "templates").glob("**/*.html"),
    *(ROOT / "templates").glob("**/*.txt"),
]


def test_documents_pages_and_code_name_people_in_plain_words() -> None:
    stiff = re.compile(r"\b(whoever|whom|whomever|whosoever)\b", re.IGNORECASE)
    found = [str(path) for path in [*READ_BY_PEOPLE, *code()] if stiff.search(path.read_text())]
    assert found == []


def code() -> list[Path]:
    """Without migrations, which stay as they were applied."""
    folders = ("accounts", "bookings", "devstack", "docbook", "doctors", "proof")
    kinds = ("*.py", "*.sql")
    files = [path for folder in folders for kind in kinds for path in (ROOT / folder).rglob(kind)]
    assert files
    return [path for path in files if "migrations" not in path.parts]


def test_readme_names_every_part_of_the_documents() -> None:
    (row,) = re.findall(r"(?m)^\| `docs/` \|.*$", (ROOT / "README.md").read_text())
    for path in (ROOT / "docs").iterdir():
        assert f"`{path.name}{'/' if path.is_dir() else ''}`" in row, path.name


@pytest.mark.django_db
def test_codes_to_book_and_to_sign_in_come_in_mails_that_look_alike() -> None:
    visit_type, slots = bookable()
    browser = Client()
    browser.post("/book/", {"slot": slots[0].pk, "visit_type": visit_type.pk})
    who = {"first_name": "Saskia", "last_name": "Kuipers", "email": "saskia@example.test"}
    browser.post(f"/book/{Hold.objects.get().pk}/", who)
    receive("otp.requested")
    Client().post("/accounts/login/code/", {"email": make_patient().email})
    deliver()
    texts = [str(sent.body) for sent in mail.outbox if sent.subject == "Your DocBook code"]
    assert len(texts) == 2
    for text in texts:
        assert re.match(r"Your code: \d{6}\nValid ", text)
        assert "\n\nEnter it on the page where you " in text
