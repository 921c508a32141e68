"""In the results each time stands under the name of its day, however wide the window is."""

import pytest
from playwright.sync_api import Browser

from tests.journeys.stack import Live
from tests.journeys.visitor import visiting

WIDTHS = (1024, 1040, 1100, 1160, 1200, 1280, 1440)
# Dates and middles of the columns that can be seen, of the heads and of each card.
COLUMNS = """
[...document.querySelectorAll(".results .card-days")].map((row) =>
  [...row.children].filter((day) => day.checkVisibility()).map((day) => {
    const box = day.getBoundingClientRect();
    const head = day.matches(".day-head") ? day : day.querySelector(".day-head");
    const [date] = head.textContent.match(/\\d+ \\p{L}+/u);
    return [date, Math.round(box.x + box.width / 2)];
  }))
"""


@pytest.mark.parametrize("width", WIDTHS)
def test_heads_of_the_days_and_the_days_of_the_cards_are_one_grid(
    live: Live, browser: Browser, width: int
) -> None:
    with visiting(browser, live, viewport={"width": width, "height": 900}) as visitor:
        visitor.go("/doctors/")
        heads, *cards = visitor.page.evaluate(COLUMNS)
        assert len(heads) >= 4
        assert cards
        assert [card for card in cards if card != heads] == []
