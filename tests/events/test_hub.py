"""Which stream hears what, and which are dropped."""

import asyncio
from typing import Any

import pytest

from docbook.events import streams
from docbook.events.hub import MOST_WAITING, Hub, TooManyStreams
from docbook.events.streams import write_stream


def an_open_hub(**limits: int) -> Hub:
    hub = Hub(**limits)
    hub.open()
    return hub


def test_stream_hears_of_its_own_doctors_alone_and_of_each_change_once():
    hub = an_open_hub()
    mine = hub.join(doctors=[1, 2], person=1)
    for doctor_id, words in ((1, "a"), (3, "b"), (2, "c"), (1, "a")):
        hub.tell(doctor_id, words)
    assert mine.take() == ["a", "c"]
    hub.leave(mine)
    hub.tell(1, "d")
    assert mine.take() == []
    assert len(hub) == 0


def test_limits_of_a_person_and_of_the_process():
    hub = an_open_hub(most=3, most_of_a_person=2)
    first = hub.join(doctors=[1], person=1)
    hub.join(doctors=[1], person=1)
    with pytest.raises(TooManyStreams):
        hub.join(doctors=[1], person=1)
    hub.join(doctors=[1], person=2)
    with pytest.raises(TooManyStreams):
        hub.join(doctors=[1], person=3)
    hub.leave(first)
    hub.join(doctors=[1], person=3)


def test_client_that_takes_nothing_is_dropped_and_others_stay():
    hub = an_open_hub()
    slow, quick = (hub.join(doctors=[1], person=each) for each in (1, 2))
    for number in range(MOST_WAITING + 1):
        hub.tell(1, str(number))
        quick.take()
    assert slow.is_over
    assert not quick.is_over


def test_place_says_whether_something_was_missed():
    hub = an_open_hub()
    before = hub.place
    hub.tell(1, "a")
    assert hub.has_changed([1], since=before)
    assert not hub.has_changed([2], since=before)
    assert not hub.has_changed([1], since=hub.place)
    assert hub.has_changed([1], since="")  # a page that was drawn while it changed
    assert not hub.has_changed([2], since="")
    for odd in ("no place", "-", f"{before.partition('-')[0]}-x", "another-1"):
        assert hub.has_changed([2], since=odd)


def test_doubt_ends_all_streams_and_lets_every_page_look_again():
    hub = an_open_hub()
    mine, before = hub.join(doctors=[1], person=1), hub.place
    hub.doubt()
    assert mine.is_over
    assert hub.is_open
    assert hub.has_changed([1], since=before)


class Reader:
    """The server's side of a client."""

    def __init__(self, *, takes: int) -> None:
        self.sent: list[bytes] = []
        self.takes = takes

    async def send(self, message: dict[str, Any]) -> None:
        if len(self.sent) >= self.takes:
            await asyncio.Event().wait()
        self.sent.append(message["body"])


def test_stream_ends_with_a_client_that_does_not_read(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(streams, "SEND_SECONDS", 0.01)
    hub, reader = an_open_hub(), Reader(takes=1)
    listener = hub.join(doctors=[1], person=1)
    asyncio.run(
        write_stream(reader.send, listener=listener, hub=hub, since=hub.place, seconds=3600)
    )
    assert reader.sent == [b"retry: 2000\n\n"]


def test_quiet_stream_has_heartbeats_and_an_end(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(streams, "HEARTBEAT_SECONDS", 0.01)
    hub, reader = an_open_hub(), Reader(takes=10_000)
    listener = hub.join(doctors=[1], person=1)
    asyncio.run(write_stream(reader.send, listener=listener, hub=hub, since="", seconds=0.05))
    assert (
        reader.sent[1] == f'event: ready\nid: {hub.place}\ndata: {{"changed": false}}\n\n'.encode()
    )
    assert reader.sent[2] == b":\n\n"
    assert reader.sent[-1] == b""
