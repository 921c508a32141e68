"""Reading secrets and addresses from the environment."""

import os
from datetime import time
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from django.core.exceptions import ImproperlyConfigured


def secret(name: str) -> str:
    """`NAME`, or what the file says that `NAME_FILE` names (as Docker and Kubernetes mount it).

    Raises ImproperlyConfigured when there is neither.
    """
    if path := os.environ.get(f"{name}_FILE"):
        return Path(path).read_text(encoding="utf-8").strip()
    if value := os.environ.get(name):
        return value
    raise ImproperlyConfigured(f"Set {name}, or {name}_FILE to a file that holds it.")


def optional_secret(name: str) -> str:
    """As `secret`, or empty where there is none."""
    return secret(name) if os.environ.get(name) or os.environ.get(f"{name}_FILE") else ""


def secret_ring(name: str) -> list[str]:
    """Several secrets separated by commas or lines, newest first."""
    keys = [key.strip() for key in secret(name).replace("\n", ",").split(",")]
    return [key for key in keys if key]


def redis_database(url: str, number: int) -> str:
    """The same Redis server, another database: the broker must not share the cache's."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{number}"))


def hours(value: str) -> tuple[time, time]:
    """Two times of the day like 21:00-08:00. Raises ImproperlyConfigured."""
    try:
        begin, end = (time.fromisoformat(part.strip()) for part in value.split("-"))
    except ValueError as error:
        text = f"Write hours like 21:00-08:00, not like {value!r}."
        raise ImproperlyConfigured(text) from error
    return begin, end
