"""What a process counts for itself while Redis does not answer."""

from concurrent.futures import ThreadPoolExecutor

from docbook.http.process_windows import ProcessWindows

A_MINUTE = 60_000


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_fourth_of_three_waits_until_the_window_ends() -> None:
    clock = Clock()
    windows = ProcessWindows(clock=clock)
    assert [windows.count("a", most=3, milliseconds=A_MINUTE) for _ in range(3)] == [0, 0, 0]
    clock.now = 20.0
    assert windows.count("a", most=3, milliseconds=A_MINUTE) == 40_000
    clock.now = 60.0
    assert windows.count("a", most=3, milliseconds=A_MINUTE) == 0


def test_other_keys_are_not_touched_and_what_did_not_happen_is_given_back() -> None:
    windows = ProcessWindows()
    assert windows.count("a", most=1, milliseconds=A_MINUTE) == 0
    assert windows.count("b", most=1, milliseconds=A_MINUTE) == 0
    windows.give_back(["a", "never counted"])
    assert windows.count("a", most=1, milliseconds=A_MINUTE) == 0
    assert windows.count("b", most=1, milliseconds=A_MINUTE) > 0


def test_threads_together_get_no_more_than_the_limit() -> None:
    windows = ProcessWindows()
    with ThreadPoolExecutor(max_workers=16) as pool:
        waits = pool.map(lambda _: windows.count("a", most=10, milliseconds=A_MINUTE), range(400))
    assert list(waits).count(0) == 10


def test_memory_is_bounded_and_forgets_what_was_used_longest_ago() -> None:
    windows = ProcessWindows(most_keys=3)
    for key in ("a", "b", "c", "a", "d"):
        windows.count(key, most=1, milliseconds=A_MINUTE)
    assert windows.count("a", most=1, milliseconds=A_MINUTE) > 0
    assert windows.count("b", most=1, milliseconds=A_MINUTE) == 0
    assert len(windows._windows) == 3
