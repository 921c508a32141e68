"""Which task receives which topic, by name: services publish topics and know no task."""

_TASK_BY_TOPIC: dict[str, str] = {}


def register(*, topic: str, task: str) -> None:
    """Called once for each topic from an app's `ready`."""
    _TASK_BY_TOPIC[topic] = task


def task_for(topic: str) -> str:
    """Raises KeyError for a topic that nobody receives."""
    return _TASK_BY_TOPIC[topic]
