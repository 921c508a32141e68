"""The API's documentation draws itself in a real browser, under our policy."""

from playwright.sync_api import Browser, expect

from tests.journeys.stack import Live
from tests.journeys.visitor import visiting


def test_operations_are_there_to_read(live: Live, browser: Browser) -> None:
    with visiting(browser, live) as reader:
        reader.go("/api/v1/docs/")
        expect(reader.page.get_by_role("heading", name="API reference")).to_be_visible()
        expect(reader.page.locator(".opblock").first).to_be_visible()
        assert reader.page.locator(".opblock").count() > 5
