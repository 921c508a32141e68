"""The connection to Redis that fibers share."""

import asyncio
import copy
import time
from collections.abc import Callable
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit

import pytest
from redis.exceptions import ConnectionError as Unreachable
from redis.exceptions import NoScriptError, ResponseError
from redis.exceptions import TimeoutError as TooLate

from docbook import fibers, redis, redis_line
from docbook.redis_line import RedisLine
from tests.lost_redis import lost_redis


def with_line(act: Callable[[RedisLine], Any]) -> Any:
    async def run() -> Any:
        return await act(RedisLine())

    return asyncio.run(run())


def test_answers_come_to_those_who_asked() -> None:
    async def act(line: RedisLine) -> list[Any]:
        return await asyncio.gather(*(line.ask("ECHO", str(number)) for number in range(200)))

    assert with_line(act) == [str(number).encode() for number in range(200)]


def test_error_is_for_the_one_who_asked_and_the_line_goes_on() -> None:
    async def act(line: RedisLine) -> list[Any]:
        asked = [line.ask("ECHO", "1"), line.ask("NONSENSE"), line.ask("EVALSHA", "0" * 40, 0)]
        found = await asyncio.gather(*asked, return_exceptions=True)
        return [*found, await line.ask("ECHO", "2")]

    first, nonsense, unknown, last = with_line(act)
    assert (first, last) == (b"1", b"2")
    assert type(nonsense) is ResponseError
    assert type(unknown) is NoScriptError


def test_line_that_redis_closes_is_made_anew() -> None:
    async def act(line: RedisLine) -> list[Any]:
        number = await line.ask("CLIENT", "ID")
        other = RedisLine()
        waiting = asyncio.ensure_future(line.ask("BLPOP", "nothing-comes", 0))
        await asyncio.sleep(0)
        await other.ask("CLIENT", "KILL", "ID", number)
        with pytest.raises(Unreachable):
            await waiting
        return [await line.ask("ECHO", "again")]

    assert with_line(act) == [b"again"]


@pytest.mark.parametrize(("how", "error"), [("gone", Unreachable), ("frozen", TooLate)])
def test_redis_that_does_not_answer_is_an_error_for_all(settings, how, error) -> None:
    async def act(line: RedisLine) -> list[Any]:
        asked = [line.ask("ECHO", "1"), line.ask("ECHO", "2")]
        return await asyncio.gather(*asked, return_exceptions=True)

    with lost_redis(settings, how):
        assert [type(each) for each in with_line(act)] == [error, error]


def keep_busy(seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        pass


def test_process_that_is_busy_before_it_sends_gives_redis_its_time(settings) -> None:
    async def act(line: RedisLine) -> Any:
        await line.ask("ECHO", "1")
        answer = line.ask("ECHO", "2")
        keep_busy(1.5 * settings.CACHES["default"]["OPTIONS"]["SOCKET_TIMEOUT"])
        return await answer

    assert with_line(act) == b"2"


def test_line_whose_password_is_refused_is_closed(settings) -> None:
    caches = copy.deepcopy(settings.CACHES)
    place = urlsplit(caches["default"]["LOCATION"])
    caches["default"]["LOCATION"] = place._replace(
        netloc=f"nobody:wrong@{place.netloc.rpartition('@')[2]}"
    ).geturl()
    settings.CACHES = caches
    ended: list[Any] = []
    drop = redis_line._Line.drop

    async def act(line: RedisLine) -> None:
        with (
            patch.object(redis_line._Line, "drop", lambda each: (ended.append(each), drop(each))),
            pytest.raises(ResponseError, match="WRONGPASS"),
        ):
            await line.ask("ECHO", "1")

    with_line(act)
    assert len(ended) == 1


def test_scripts_run_in_a_fiber_and_are_loaded_by_the_first() -> None:
    script = "return {KEYS[1], ARGV[1], 'test_redis_line'}"

    def run() -> list[bytes]:
        found: list[bytes] = redis.run(script, keys=["a"], arguments=["b"])
        return found

    assert asyncio.run(fibers.run(run)) == [b"a", b"b", b"test_redis_line"]


def test_lost_redis_is_passed_in_a_fiber_as_elsewhere(settings) -> None:
    with lost_redis(settings, "gone"):
        assert asyncio.run(fibers.run(lambda: redis.run("return 1", keys=[], arguments=[]))) is None
