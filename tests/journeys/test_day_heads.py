"""In the results, each time is below the head of its day, however wide the window is."""

import pytest
from playwright.sync_api import Browser

from tests.journeys.stack import Live
from tests.journeys.visitor import visiting

WIDTHS = (1024, 1040, 1100, 1160, 1200, 1280, 1440)
# Dates and centres of the visible columns, of the heads and of each card.
COLUMNS = """
[...document.querySelectorAll(".results .card-days")]
  .filter((row) => row.checkVisibility())
  .map((row) =>
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


# The start of the weekday and of the date in each head.
LINES = """
[...document.querySelectorAll(".results-days .day-head")].filter((head) => head.checkVisibility())
  .map((head) => {
    const top = (part) => {
      const range = document.createRange();
      range.selectNodeContents(part);
      return Math.round(range.getBoundingClientRect().top);
    };
    return [top(head.querySelector("strong")), top(head.lastChild)];
  })
"""


@pytest.mark.parametrize("width", [1024, 1280])
def test_weekdays_stand_in_one_line_and_dates_in_the_next(
    live: Live, browser: Browser, width: int
) -> None:
    with visiting(browser, live, viewport={"width": width, "height": 900}) as visitor:
        visitor.go("/doctors/")
        first, *others = visitor.page.evaluate(LINES)
        assert first[0] < first[1]
        assert [lines for lines in others if lines != first] == []
