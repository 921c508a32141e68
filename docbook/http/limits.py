"""How much of a request is read. The API's parser reads less (docbook.http.parsers)."""

from django.conf import settings

BODY_SECONDS = 10
THROWN_AWAY = 16_000_000  # bytes of a body that is too long, before its sender is cut off
# Where the server (docbook.rsgi) records that a body came too late.
LATE = "docbook.late"
# Forms with a file: the file may be as large as its form says, and a little larger, so that the
# form itself can refuse it.
UPLOADS = {
    "/schedule/availability/calendars/": 3_000_000,
    "/admin/doctors/doctor/csv/doctors/": 3_000_000,
    "/admin/doctors/doctor/csv/hours/": 3_000_000,
}
LONGEST_LINE = 16 * 1024
MOST_OF_HEADERS = 32_000  # characters of all headers together


def most_of_body(path: str) -> int:
    """How many bytes a request to this path may have."""
    return UPLOADS.get(path, settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
