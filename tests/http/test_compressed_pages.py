"""Pages are compressed unless another site could learn a secret from their length."""

import gzip

import pytest
from django.http import HttpResponse
from django.test import Client

from tests.factories import make_patient

pytestmark = pytest.mark.django_db


def page(browser: Client, *, path: str = "/", site: str = "") -> HttpResponse:
    """As a browser gets it that accepts gzip and says which site asked."""
    headers = {"Accept-Encoding": "gzip, deflate, br"} | ({"Sec-Fetch-Site": site} if site else {})
    return browser.get(path, headers=headers)


def is_compressed(response: HttpResponse) -> bool:
    return response.headers.get("Content-Encoding") == "gzip"


@pytest.fixture
def patient() -> Client:
    browser = Client()
    browser.force_login(make_patient(first_name="Noor"))
    return browser


def test_page_is_compressed_for_browsers_that_take_it() -> None:
    response = page(Client())
    assert is_compressed(response)
    assert "Accept-Encoding" in response.headers["Vary"]
    assert int(response.headers["Content-Length"]) == len(response.content)
    assert b"</html>" in gzip.decompress(response.content)
    plain = Client().get("/")
    assert not is_compressed(plain)
    assert b"</html>" in plain.content


def test_length_of_a_page_tells_nothing_exactly() -> None:
    assert len({len(page(Client(), path="/accounts/login/").content) for _ in range(20)}) > 5


@pytest.mark.parametrize("site", ["same-origin", "none"])
def test_page_of_a_patient_is_compressed_where_our_own_pages_ask(
    patient: Client, site: str
) -> None:
    response = page(patient, site=site)
    assert is_compressed(response)
    assert b"Noor" in gzip.decompress(response.content)


@pytest.mark.parametrize("site", ["cross-site", "same-site", ""])
def test_page_of_a_patient_is_not_compressed_where_another_site_may_ask(
    patient: Client, site: str
) -> None:
    response = page(patient, path="/doctors/?q=Noor", site=site)
    assert not is_compressed(response)
    assert b"Noor" in response.content


@pytest.mark.parametrize("site", ["cross-site", ""])
def test_page_without_a_session_is_compressed_for_links_of_other_sites_too(site: str) -> None:
    assert is_compressed(page(Client(), path="/doctors/", site=site))


@pytest.mark.parametrize("path", ["/api/v1/doctors", "/api/v1/schema/", "/static/css/core.css"])
def test_answers_to_programs_and_files_are_left_alone(path: str) -> None:
    assert not is_compressed(page(Client(), path=path))
