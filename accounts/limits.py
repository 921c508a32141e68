"""How often an account or a mailbox can be tried: from one network, and from everywhere.

Nobody may lock another person out. So a small limit counts network and account together. A larger
one counts strangers together and closes one way in only. Browsers that the account knows are
counted separately. Decision record 0015 has the reasons.
"""

from django.http import HttpRequest

from accounts.known_browsers import name_of_browser
from accounts.known_networks import is_known_network
from accounts.models import User
from accounts.users import owner_of
from docbook.errors import RateLimited
from docbook.http.keyed_digest import mailbox_of
from docbook.http.throttling import Limit, count, enforce, limit_of


class TooManyPasswords(RateLimited):
    """By this browser, this network, or all strangers. The other ways to sign in stay open."""


def count_password(request: HttpRequest, *, email: str, user: User | None) -> list[Limit]:
    """Counts a try before the password is checked: of many at once, no more than the limit are
    checked. Returns the limits to give back if the password was right. Raises TooManyPasswords.

    If strangers have used up theirs, a network that the account knows still has its own.
    """
    limits = _password_limits(request, email=email.lower(), user=user)
    try:
        enforce(*limits)
    except RateLimited as error:
        all_strangers = error.limit == "password-strangers"
        if all_strangers and is_known_network(request, user=owner_of(email)):
            return limits[:1]
        raise TooManyPasswords(**error.facts) from None
    return limits


def _password_limits(request: HttpRequest, *, email: str, user: User | None) -> list[Limit]:
    account = mailbox_of(email)
    if browser := name_of_browser(request, user):
        return [limit_of("password-known", named=f"{browser} {account}")]
    return [
        limit_of("password-network", request, named=account),
        limit_of("password-strangers", named=account),
    ]


def may_mail(request: HttpRequest, *, email: str, user: User | None, is_reset: bool) -> bool:
    """Counts a mail to this mailbox. False: too many strangers have asked, so send nothing new. One
    mail in ten minutes is sent in any case. Password-reset links are counted apart from codes.

    Raises RateLimited for somebody who asks too often themselves.
    """
    mailbox = mailbox_of(email)
    if browser := name_of_browser(request, user):
        enforce(limit_of("mail-known", named=f"{browser} {mailbox}"))
        return True
    enforce(limit_of("mail-network", request, named=mailbox))
    # Shared with the codes of bookings.
    is_full = count(limit_of("codes-to", named=mailbox), limit_of("mail-day", named=mailbox))
    in_any_case = limit_of("reset-any-case" if is_reset else "mail-any-case", named=mailbox)
    is_early = count(in_any_case)
    return not (is_full and is_early)
