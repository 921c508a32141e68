"""How often an account, or a mailbox, can be tried: from one network, and from everywhere.

Nobody may lock another person out. So a small limit counts network and account together, and a
larger one counts strangers together and closes one way in only. Browsers that the account knows
are counted by themselves. The decision record 0015 has the numbers and the reasons.
"""

from dataclasses import replace

from django.http import HttpRequest

from accounts.known_browsers import name_of_browser
from accounts.models import User
from docbook.http.addresses import client_address
from docbook.http.throttling import (
    Limit,
    by_mailbox,
    count,
    digest,
    enforce,
    mailbox_of,
    network_of,
)

PASSWORDS_FROM_A_NETWORK = "10/5m"
PASSWORDS_FROM_STRANGERS = "100/h"
MAILS_FROM_A_NETWORK = "10/h"
MAILS_TO_A_MAILBOX_A_DAY = "40/d"
# What a flood cannot use up: as often as a code is valid, one mail still goes out.
MAILS_IN_ANY_CASE = "1/10m"


def network_digest(request: HttpRequest) -> str:
    return digest(network_of(client_address(request)))


def count_password(request: HttpRequest, *, email: str, user: User | None) -> list[Limit]:
    """Counts a try ahead, so that of many at once no more than the limit are looked at. What comes
    back is to be given back if the password was right. Raises RateLimited.
    """
    limits = _password_limits(request, email=email.lower(), user=user)
    enforce(*limits)
    return limits


def _password_limits(request: HttpRequest, *, email: str, user: User | None) -> list[Limit]:
    account = mailbox_of(email)
    if browser := name_of_browser(request, user):
        return [_limit("password-known", PASSWORDS_FROM_A_NETWORK, f"{browser} {account}")]
    from_here = f"{network_digest(request)} {account}"
    return [
        _limit("password-network", PASSWORDS_FROM_A_NETWORK, from_here),
        _limit("password-strangers", PASSWORDS_FROM_STRANGERS, account),
    ]


def may_mail(request: HttpRequest, *, email: str, user: User | None) -> bool:
    """Counts a mail to this mailbox. False: too many strangers have asked, so nothing new is sent.

    Raises RateLimited for somebody who asks too often themselves.
    """
    mailbox = mailbox_of(email)
    if browser := name_of_browser(request, user):
        enforce(_limit("mail-known", MAILS_FROM_A_NETWORK, f"{browser} {mailbox}"))
        return True
    enforce(_limit("mail-network", MAILS_FROM_A_NETWORK, f"{network_digest(request)} {mailbox}"))
    is_full = count(
        replace(by_mailbox(mailbox), counts_without_redis=True),  # with the codes of bookings
        _limit("mail-day", MAILS_TO_A_MAILBOX_A_DAY, mailbox),
    )
    is_early = count(_limit("mail-any-case", MAILS_IN_ANY_CASE, mailbox))
    return not (is_full and is_early)


def _limit(group: str, rate: str, value: str) -> Limit:
    return Limit(group, rate, value, counts_without_redis=True)
