"""Every limit of the product, by name: how often something may be asked for.

Rates are named only here. Doors name a policy, and `docbook.http.throttling` counts. Decision
record 0015 has the reasons for the numbers.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, NamedTuple

from django.http import HttpRequest

from docbook.http.keyed_digest import digest, network_digest

SECOND = 1
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR


class Rate(NamedTuple):
    """At most `most` requests in `seconds`; a pair, as django-ratelimit takes it."""

    most: int
    seconds: int


class WithoutRedis(Enum):
    """What happens to a limit while Redis does not answer."""

    PASSES = auto()  # a booking is worth more than its limit
    COUNTS_HERE = auto()  # each process counts for itself
    IN_ROWS = auto()  # the database always counts


# What is counted: something about the request, or something it names (an account, a mailbox, a
# number).
Key = Callable[[HttpRequest | None, str], str]


def network(request: Any, _named: str) -> str:
    return network_digest(request)


def user(request: Any, _named: str) -> str:
    return digest(f"user-{request.user.pk}")


def mailbox(_request: HttpRequest | None, named: str) -> str:
    return digest(named)


def account(_request: HttpRequest | None, named: str) -> str:
    return digest(named)


def phone(_request: HttpRequest | None, named: str) -> str:
    return digest(named)


def network_and_account(request: Any, named: str) -> str:
    return digest(f"{network_digest(request)} {named}")


def browser_and_account(_request: HttpRequest | None, named: str) -> str:
    """`named` is the name of a known browser, then the account."""
    return digest(named)


@dataclass(frozen=True)
class Policy:
    rate: Rate
    key: Key
    without_redis: WithoutRedis
    why: str


_PASSES, _HERE, _IN_ROWS = WithoutRedis.PASSES, WithoutRedis.COUNTS_HERE, WithoutRedis.IN_ROWS

POLICIES = {
    # Signing in, and the mails for it.
    "accounts": Policy(
        Rate(30, MINUTE), network, _HERE, "No machine tries many accounts from one network."
    ),
    "sign-in": Policy(
        Rate(10, MINUTE), network, _HERE, "An app signs in once, and then refreshes its token."
    ),
    "refresh": Policy(
        Rate(60, MINUTE), network, _PASSES, "One token lasts ten minutes; an office shares a line."
    ),
    "password-known": Policy(
        Rate(10, 5 * MINUTE), browser_and_account, _HERE, "Strangers must not use up an owner's."
    ),
    "password-network": Policy(
        Rate(10, 5 * MINUTE), network_and_account, _HERE, "A guesser shuts out only themselves."
    ),
    "password-strangers": Policy(
        Rate(100, HOUR), account, _HERE, "Many networks together guess no password."
    ),
    "mail-known": Policy(
        Rate(10, HOUR), browser_and_account, _HERE, "Strangers must not use up an owner's mails."
    ),
    "mail-network": Policy(
        Rate(10, HOUR), network_and_account, _HERE, "One network alone fills no mailbox."
    ),
    "codes-to": Policy(
        Rate(20, HOUR), mailbox, _HERE, "Nobody's mailbox is filled by us, through any door."
    ),
    "mail-day": Policy(Rate(40, DAY), mailbox, _HERE, "Nor slowly."),
    "mail-any-case": Policy(
        Rate(1, 10 * MINUTE), mailbox, _HERE, "No flood uses this up: a code is valid as long."
    ),
    "reset-any-case": Policy(
        Rate(1, 10 * MINUTE), mailbox, _HERE, "Requests for codes use up no link of a reset."
    ),
    "codes-any-case": Policy(
        Rate(1, 10 * MINUTE), mailbox, _HERE, "Bookings use up no mail that opens an account."
    ),
    # Wrong codes: see accounts.guesses.
    "guess-known": Policy(
        Rate(10, DAY), browser_and_account, _IN_ROWS, "Strangers must not use up an owner's."
    ),
    "guess-network": Policy(
        Rate(6, DAY), network_and_account, _IN_ROWS, "Two codes of three tries."
    ),
    "guess-strangers": Policy(
        Rate(10, DAY), account, _IN_ROWS, "Ten of a million: nobody guesses a code."
    ),
    "second-factor": Policy(
        Rate(10, DAY), account, _IN_ROWS, "Codes of an app are counted as those of mails."
    ),
    # How many of these the audit records; the metrics count all.
    "audit-failures": Policy(
        Rate(20, HOUR), account, _HERE, "Somebody who guesses all day must not fill the audit."
    ),
    "audit-strangers": Policy(
        Rate(20, HOUR), account, _HERE, "Nor somebody who asks for what is not theirs."
    ),
    # Booking.
    "codes-to-owner": Policy(
        Rate(20, HOUR), mailbox, _HERE, "Signed in, it is their own; strangers must not use it up."
    ),
    "codes-to-phone": Policy(Rate(10, HOUR), phone, _HERE, "Texts cost money, and wake people."),
    "hold": Policy(Rate(30, MINUTE), network, _PASSES, "No network keeps a practice from others."),
    "code": Policy(Rate(30, MINUTE), network, _PASSES, "Each one may send a mail."),
    "code-user": Policy(Rate(30, MINUTE), user, _PASSES, "The same from ever new networks."),
    "confirm": Policy(Rate(30, MINUTE), network, _PASSES, "Nobody tries codes on many holds."),
    "confirm-user": Policy(Rate(30, MINUTE), user, _PASSES, "The same from ever new networks."),
    "change": Policy(Rate(30, MINUTE), network, _PASSES, "Each one writes rows and sends a mail."),
    "practice-change": Policy(
        Rate(120, MINUTE), user, _PASSES, "A desk is fast, but no person is this fast."
    ),
    "calendar-reading": Policy(
        Rate(30, HOUR), user, _PASSES, "Each one keeps a server of somebody else busy."
    ),
    "desk-search": Policy(
        Rate(900, HOUR), user, _PASSES, "A hundred callers an hour; nobody reads all numbers."
    ),
    "offer": Policy(Rate(30, MINUTE), network, _PASSES, "Nobody tries many links."),
    "api-hold": Policy(Rate(30, MINUTE), network, _PASSES, "As the page."),
    "api-hold-user": Policy(Rate(30, MINUTE), user, _PASSES, "The same from ever new networks."),
    "api-code": Policy(Rate(30, MINUTE), network, _PASSES, "As the page."),
    "api-code-user": Policy(Rate(30, MINUTE), user, _PASSES, "The same from ever new networks."),
    "api-confirm": Policy(Rate(60, MINUTE), network, _PASSES, "An app behind a shared line."),
    "api-confirm-user": Policy(Rate(60, MINUTE), user, _PASSES, "The same from new networks."),
    "api-change": Policy(Rate(60, MINUTE), user, _PASSES, "Each one writes rows, sends a mail."),
    "api-waitlist": Policy(Rate(30, MINUTE), network, _PASSES, "Each one looks for a free time."),
    "api-waitlist-user": Policy(Rate(30, MINUTE), user, _PASSES, "The same from new networks."),
    # Calendars of doctors.
    "feed": Policy(
        Rate(120, HOUR), account, _PASSES, "Three devices that look every few minutes; no loop."
    ),
    "feed-network": Policy(
        Rate(120, MINUTE), network, _PASSES, "A calendar service reads for many from one network."
    ),
}
