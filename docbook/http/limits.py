"""How much of a request is read. The API's parser reads less (docbook.http.parsers)."""

BODY_SECONDS = 10
THROWN_AWAY = 16_000_000  # bytes of a body that is too long, before its sender is cut off
# Where the server (docbook.rsgi) records that a body came too late.
LATE = "docbook.late"
LONGEST_LINE = 16 * 1024
MOST_OF_HEADERS = 32_000  # characters of all headers together
