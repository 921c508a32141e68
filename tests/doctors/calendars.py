"""Calendar files as other programs write them."""

HEAD = "PRODID:-//Example//Calendar//EN\r\nVERSION:2.0\r\n"


def calendar(*events: str, head: str = HEAD) -> bytes:
    """Each event is its lines, separated by |, without the ones that every event has."""
    body = "".join(
        f"BEGIN:VEVENT\r\nUID:{number}@example.test\r\nDTSTAMP:20261101T000000Z\r\n"
        f"{event.replace('|', chr(13) + chr(10))}\r\nEND:VEVENT\r\n"
        for number, event in enumerate(events)
    )
    return f"BEGIN:VCALENDAR\r\n{head}{body}END:VCALENDAR\r\n".encode()


def event(begin: object, end: object) -> str:
    """Of two aware moments."""
    from_to = (f"{each:%Y%m%dT%H%M%SZ}" for each in (begin, end))
    return "DTSTART:{}|DTEND:{}".format(*from_to)
