"""How much of a request is read at all; the parser of the API has less (docbook.http.parsers)."""

BODY_SECONDS = 10
THROWN_AWAY = 16_000_000  # bytes of a body that is too long, until its sender is cut off
# Where the server (docbook.rsgi) notes that a body did not come in time.
LATE = "docbook.late"
LONGEST_LINE = 16 * 1024
MOST_OF_HEADERS = 32_000  # characters of all headers together
