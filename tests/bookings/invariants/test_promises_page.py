"""docs/promises.md says what the code says."""

import re

from bookings.invariants.checks import FROM_A_HISTORY, FROM_THE_DATABASE
from devstack.layout import ROOT


def test_every_promise_stands_on_its_page():
    page = (ROOT / "docs" / "promises.md").read_text()
    written = dict(re.findall(r"^\| (I\d\d) \| (.+) \|$", page, re.MULTILINE))
    assert written == {each.code: each.sentence for each in (*FROM_THE_DATABASE, *FROM_A_HISTORY)}
