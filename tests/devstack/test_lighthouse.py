import pytest

from devstack import lighthouse
from devstack.ports import address, free_port
from devstack.refusals import Refusal


def test_a_site_that_nobody_serves_is_named_before_anything_is_installed() -> None:
    url = address(free_port())
    with pytest.raises(Refusal, match=f"Nobody answers at {url}"):
        lighthouse.run(["--url", url])


def test_a_report_is_read_as_scores_times_and_weight() -> None:
    report = {
        "categories": {name: {"score": 0.994} for name in lighthouse.CATEGORIES},
        "audits": {
            "first-contentful-paint": {"numericValue": 940.2},
            "largest-contentful-paint": {"numericValue": 1490.7},
            "network-requests": {
                "details": {"items": [{"transferSize": 60_100}, {"transferSize": 12_300}]}
            },
        },
    }
    seen = lighthouse.read(report)
    assert list(seen.scores) == [99, 99, 99, 99]
    assert (seen.first_paint, seen.largest_paint) == (940.2, 1490.7)
    assert (seen.kilobytes, seen.requests) == (72.4, 2)
