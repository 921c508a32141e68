"""Which tasks receive which topic, by name. Services publish topics and know no task.

A topic may have several receivers, such as the mail and a webhook. Each gets its own message, so
one that fails does not hold up the others; see `services._spread`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

# Somebody waits at the screen for messages in CODES, so these never wait behind others. Work that
# takes minutes goes through UPKEEP.
CODES, MAIL, UPKEEP = "codes", "mail", "upkeep"
QUEUES = (CODES, MAIL, UPKEEP)


@dataclass(frozen=True)
class Receiver:
    """A task, and the queue that leads to it. The first receiver of a topic has no name. One run
    of the task handles up to `at_once` messages.
    """

    task: str
    queue: str = MAIL
    name: str = ""
    at_once: int = 1


_RECEIVERS: dict[str, dict[str, Receiver]] = {}


def register(*, topic: str, task: str, queue: str = MAIL, name: str = "", at_once: int = 1) -> None:
    """Called once for each receiver from an app's `ready`. Further receivers of a topic have a
    `name`.

    Raises ValueError for another task under a name that is taken.
    """
    receiver = Receiver(task, queue, name, at_once)
    if _RECEIVERS.setdefault(topic, {}).setdefault(name, receiver) != receiver:
        raise ValueError(f"{topic} has a receiver called {name!r} already.")


def receiver_of(topic: str, *, name: str) -> Receiver:
    """Raises KeyError if nobody receives it."""
    return _RECEIVERS[topic][name]


def is_received(topic: str) -> bool:
    return topic in _RECEIVERS


def further_receivers() -> list[tuple[str, str]]:
    """(topic, name) of each receiver except the first."""
    return [(topic, name) for topic, named in _RECEIVERS.items() for name in named if name]


def topics_through(queue: str) -> Sequence[str]:
    """The topics with at least one receiver that uses this queue."""
    return [
        topic
        for topic, named in _RECEIVERS.items()
        if any(each.queue == queue for each in named.values())
    ]
