"""What counts as a recovery after connections have ended."""

from dataclasses import replace

import pytest

from proof.history import Event
from proof.load import SECOND
from proof.scenarios import recovered

LAST = 10 * SECOND
ASKED = Event(process=1, op="1", type="invoke", f="confirm", slots=(1,), patient=1)


def told(second: float, **answer: object) -> list[Event]:
    at = round(second * SECOND)
    asked = replace(ASKED, op=f"at {second}", at=at)
    return [asked, replace(asked, **{"type": "ok", "status": 200, **answer}, at=at + 1)]


FINE = [*told(5, type="info", status=503), *told(10.5, type="info", status=503), *told(12)]


@pytest.mark.parametrize(
    ("history", "broken"),
    [
        (FINE, []),
        ([*FINE, *told(11.5, type="info", status=503)], ["answers with 503 once it was over"]),
        ([*FINE, *told(5.5, type="info", status=0)], ["requests without an answer"]),
        (told(9), ["no booking once it was over"]),
        (told(12, f="hold"), ["no booking once it was over"]),
    ],
)
def test_once_it_is_over_all_goes_on(history, broken):
    findings = recovered(history, last=LAST)
    assert [each.promise for each in findings if each.broken] == broken
