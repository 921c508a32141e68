"""The waitlist's quiet hours, as the environment gives them."""

from datetime import time

import pytest
from django.core.exceptions import ImproperlyConfigured

from docbook.settings.environment import hours


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("21:00-08:00", (time(21), time(8))),
        (" 21:30 - 08:00:00 ", (time(21, 30), time(8))),
        ("21:00-24:00", (time(21), time(0))),
        ("00:00-00:00", (time(0), time(0))),
    ],
)
def test_hours_are_two_times_of_the_day_and_24_00_is_its_end(written, read):
    assert hours(written) == read


@pytest.mark.parametrize(
    "written",
    [
        "21:00",
        "21-08",
        "21:00-08:00:41",
        "24:00-08:00",
        "21:00+02:00-08:00",
        "21:00-25:00",
        "00:00-24:00",
    ],
)
def test_other_hours_are_refused_in_a_sentence(written):
    with pytest.raises(ImproperlyConfigured, match=r"like 21:00-08:00|no hour at all"):
        hours(written)
