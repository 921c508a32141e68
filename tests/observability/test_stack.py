"""What a log may say about where an error came from."""

from docbook.observability.stack import places_of


def ask(name: str) -> None:
    raise ValueError(f"{name} is unknown")


def fail(name: str) -> None:
    try:
        ask(name)
    except ValueError as error:
        raise KeyError(name) from error


def test_places_are_told_and_nobody_is_named() -> None:
    try:
        fail("Saskia Kuipers")
    except KeyError as error:
        places = places_of(error)
    assert [place.rpartition(" ")[2] for place in places if " " in place][-3:] == [
        "fail",
        "fail",
        "ask",
    ]
    assert "tests/observability/test_stack.py" in places[0]
    assert [place for place in places if " " not in place] == ["KeyError", "ValueError"]
    assert "Saskia" not in str(places)


def test_error_that_is_its_own_cause_ends() -> None:
    error = ValueError()
    error.__context__ = other = KeyError()
    other.__context__ = error
    assert places_of(error) == ["ValueError", "KeyError"]
