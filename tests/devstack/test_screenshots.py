"""The pictures of the pages: every one of `make screenshots` is there, and the README's exist."""

import re
from pathlib import Path

import pytest

from devstack import screenshots
from devstack.layout import ROOT
from devstack.ports import address, free_port
from devstack.refusals import Refusal


def test_a_site_that_nobody_serves_is_named() -> None:
    url = address(free_port())
    with pytest.raises(Refusal, match=f"Nobody answers at {url}"):
        screenshots.run(["--url", url])


def test_every_page_has_its_pictures_and_no_others_are_left() -> None:
    wanted = {
        f"{shot.name}-{screen}.webp" for shot in screenshots.SHOTS for screen in screenshots.SCREENS
    }
    assert {picture.name for picture in screenshots.FOLDER.iterdir()} == wanted


def test_pictures_stay_small_together() -> None:
    sizes = [picture.stat().st_size for picture in screenshots.FOLDER.iterdir()]
    assert sum(sizes) < screenshots.MOST_BYTES


@pytest.mark.parametrize("page", ["README.md"])
def test_pictures_that_a_page_shows_exist_and_say_what_they_show(page: str) -> None:
    shown = re.findall(r"!\[([^\]]*)\]\(([^)]+)\)", (ROOT / page).read_text())
    ours = [(text, path) for text, path in shown if path.startswith("docs/")]
    assert ours
    assert [path for _text, path in ours if not Path(ROOT / path).is_file()] == []
    assert [path for text, path in ours if len(text) < 20] == []
