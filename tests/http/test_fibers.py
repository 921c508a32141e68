"""Fibers: plain code that pauses on the thread of an event loop."""

import asyncio
import threading
from contextvars import ContextVar

import pytest
from django.core.exceptions import SynchronousOnlyOperation
from django.db import connection

from docbook import fibers
from docbook.postgres.rows import rows_of


async def later(answer: str, *, after: asyncio.Event) -> str:
    await after.wait()
    return answer


def test_one_pauses_and_another_goes_on() -> None:
    done: list[str] = []

    async def both() -> None:
        go_on = asyncio.Event()

        def first() -> None:
            done.append("first asks")
            done.append(fibers.wait_for(later("first is answered", after=go_on)))

        def second() -> None:
            done.append("second")
            go_on.set()

        await asyncio.gather(fibers.run(first), fibers.run(second))

    asyncio.run(both())
    assert done == ["first asks", "second", "first is answered"]


def test_error_of_what_it_waits_for_is_raised_where_it_waits() -> None:
    async def broken() -> None:
        raise LookupError("nothing")

    def call() -> str:
        with pytest.raises(LookupError):
            fibers.wait_for(broken())
        return "went on"

    assert asyncio.run(fibers.run(call)) == "went on"


def test_error_of_the_call_comes_out() -> None:
    def call() -> None:
        fibers.wait_for(asyncio.sleep(0))
        raise LookupError("nothing")

    with pytest.raises(LookupError):
        asyncio.run(fibers.run(call))


def test_what_blocks_goes_to_another_thread_and_nothing_else_does() -> None:
    here = threading.get_ident()

    def call() -> tuple[int, int, bool]:
        return threading.get_ident(), fibers.aside(threading.get_ident), fibers.is_inside()

    inside, aside, is_inside = asyncio.run(fibers.run(call))
    assert inside == here != aside
    assert is_inside


def test_what_is_noted_aside_is_known_here() -> None:
    noted: ContextVar[str] = ContextVar("noted", default="")

    def call() -> str:
        fibers.aside(lambda: noted.set("aside"))
        return noted.get()

    assert asyncio.run(fibers.run(call)) == "aside"
    assert noted.get() == ""


def test_outside_of_a_fiber_everything_happens_here() -> None:
    assert not fibers.is_inside()
    assert fibers.aside(threading.get_ident) == threading.get_ident()
    fibers.pause(0)


@pytest.mark.django_db
def test_orm_that_somebody_forgot_to_put_aside_is_an_error() -> None:
    with pytest.raises(SynchronousOnlyOperation):
        asyncio.run(fibers.run(lambda: rows_of("SELECT 1")))
    assert connection.is_usable()
