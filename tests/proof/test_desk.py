"""What the bench of the desk says about the times that it has measured."""

from random import Random

from proof.desk import rows_of, slow

TIMED = {
    "last name": {"ms": [2.0] * 19 + [50.0], "found": [1, 3] * 10},
    "birthday": {"ms": [1.0] * 20, "found": [0] * 20},
}


def test_row_tells_the_middle_the_end_and_how_many_were_found() -> None:
    [name, birthday] = rows_of(TIMED)
    assert name == {
        "what is typed": "last name",
        "searches": 20,
        "found": "2.0",
        "p50 ms": "2.0",
        "p95 ms": "50.0",
        "slowest": "50.0",
    }
    assert birthday["found"] == "0.0"


def test_one_slow_search_of_forty_breaks_no_promise_and_three_do() -> None:
    assert slow(TIMED).broken == 0
    times = [31.0] * 3 + [1.0] * 17
    Random(1).shuffle(times)
    assert slow(TIMED | {"birthday": {"ms": times, "found": [0] * 20}}).broken == 1
