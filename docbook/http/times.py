"""Instants in answers: RFC 3339, with the offset of the place where they happen."""

from datetime import datetime
from zoneinfo import ZoneInfo


def local_iso(moment: datetime, zone: str) -> str:
    return moment.astimezone(ZoneInfo(zone)).isoformat()
