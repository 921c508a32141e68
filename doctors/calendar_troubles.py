"""Why a calendar of somebody else could not be read, in words for those who connected it."""

from typing import Any

from django.utils.translation import gettext_lazy as _

# Stable codes, kept in the database. None of them says a part of the address.
TROUBLES: dict[str, Any] = {
    # The address.
    "bad-address": _("This is not a web address. Copy the whole one, with https:// in front."),
    "not-https": _("Only addresses that begin with https:// or webcal:// are read."),
    "address-with-password": _("Use an address without a name and password in it."),
    "other-port": _("Use an address without a port number."),
    "private-address": _("This address leads into a private network. Use a public one."),
    "own-feed": _("This is a calendar of DocBook. Its visits already block their times."),
    # The way there.
    "unknown-host": _("No server has this name. Check the address."),
    "unreachable": _("The server of the calendar did not answer as expected."),
    "certificate": _("The server of the calendar cannot prove its name."),
    "too-slow": _("The server of the calendar took too long."),
    "too-many-redirects": _("The address leads from one place to the next without an end."),
    "not-there": _("Nothing is at this address, or it is locked. Copy the secret address again."),
    "refused": _("The server of the calendar refused to give it."),
    # The file.
    "too-large": _("The calendar is larger than 2 MB."),
    "not-a-calendar": _("This is not a calendar (.ics). A page in a browser is not the file."),
    "unreadable": _("The calendar has an error and cannot be read."),
    "too-many-events": _("The calendar has too many events."),
    "too-often": _("The calendar has an event that repeats every minute or second."),
    "too-much-work": _("The calendar has an event that repeats in a way we cannot work out."),
}


class CalendarTrouble(Exception):
    """`code` is one of TROUBLES."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def trouble_in_words(code: str) -> str:
    return str(TROUBLES.get(code, TROUBLES["unreadable"]))
