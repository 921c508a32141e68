"""One stream of server-sent events, from its first line to its last."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from docbook.events.hub import Hub, Listener

Send = Callable[[dict[str, Any]], Awaitable[None]]

# Comments keep proxies from closing a quiet stream.
HEARTBEAT_SECONDS = 15.0
# A browser waits for this long before it opens the next stream.
RETRY_MS = 2000
# A client that takes nothing for this long is dropped.
SEND_SECONDS = 10.0


async def write_stream(
    send: Send, *, listener: Listener, hub: Hub, since: str, seconds: float
) -> None:
    """Writes until the stream is over, its time is up, or the client takes nothing any more. The
    caller has sent the status, and cancels this when the client has gone.
    """
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    changed = hub.has_changed(listener.doctors, since=since)
    try:
        await _write(send, f"retry: {RETRY_MS}\n\n")
        await _write(send, _event("ready", json.dumps({"changed": changed}), place=hub.place))
        while not listener.is_over and (left := until - loop.time()) > 0:
            words = await _next(listener, within=min(left, HEARTBEAT_SECONDS))
            text = "".join(_event("change", each, place=hub.place) for each in words) or ":\n\n"
            if not listener.is_over:
                await _write(send, text)
    except TimeoutError:
        return
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _next(listener: Listener, *, within: float) -> list[str]:
    """Nothing after a quiet time."""
    try:
        async with asyncio.timeout(within):
            await listener.news.wait()
    except TimeoutError:
        return []
    return listener.take()


def _event(name: str, words: str, *, place: str) -> str:
    return f"event: {name}\nid: {place}\ndata: {words}\n\n"


async def _write(send: Send, text: str) -> None:
    async with asyncio.timeout(SEND_SECONDS):
        await send({"type": "http.response.body", "body": text.encode(), "more_body": True})
