"""Where an error came from, for a log that names nobody."""

import traceback
from pathlib import PurePath

# In a folder of packages, only the path after it is informative.
_PACKAGES = "site-packages"
MOST_PLACES = 30


def places_of(error: BaseException) -> list[str]:
    """The functions that the error passed, outermost first, then those of its causes.

    Like ["bookings/notifications/receivers.py:57 code_requested", …, "SMTPServerDisconnected"]:
    files, lines and class names. Messages and values are left out, because they may hold personal
    data.
    """
    places: list[str] = []
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        places += [_place(frame) for frame in traceback.extract_tb(link.__traceback__)]
        places.append(type(link).__name__)
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
    return places[:MOST_PLACES]


def _place(frame: traceback.FrameSummary) -> str:
    parts = PurePath(frame.filename).parts
    if _PACKAGES in parts:
        parts = parts[parts.index(_PACKAGES) + 1 :]
    return f"{'/'.join(parts[-3:])}:{frame.lineno} {frame.name}"
