"""Tokens of mobile apps: short access tokens, and refresh tokens that are good for one use.

Signed by HS256 with a ring of keys (newest signs, older ones verify; `kid` names the key by its
fingerprint). PyJWT is used directly: simplejwt knows one key, and lets several of many requests
with the same refresh token win.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from hashlib import sha256
from typing import Any, Literal
from uuid import UUID, uuid4

import jwt
from django.conf import settings
from django.db import transaction

from accounts.models import RefreshSession, User
from docbook.errors import DomainError
from docbook.http.throttling import mailbox_of

ISSUER = "docbook"
AUDIENCE = "docbook-api"
LEEWAY_SECONDS = 30  # app servers' clocks differ

TokenKind = Literal["access", "refresh"]


class InvalidToken(DomainError):
    """Forged, out of date, used before, or of somebody who may not sign in any more."""

    code = "token-invalid"


@dataclass(frozen=True)
class TokenPair:
    access: str
    refresh: str


def start_session(*, user: User, now: datetime) -> TokenPair:
    """A new sign-in: a family of refresh tokens, and its first pair."""
    session = RefreshSession.objects.create(
        user=user,
        current_jti=uuid4(),
        auth_hash=user.get_session_auth_hash(),
        expires_at=now + settings.REFRESH_TOKEN_LIFETIME,
    )
    return _pair(session, now=now)


def rotate_session(*, refresh: str, now: datetime) -> TokenPair:
    """Exchanges a refresh token for a new pair; each token works once.

    The exchange is a compare-and-swap on the session's row. A token that lost it, or was used
    before, ends the session: somebody has a copy. Raises InvalidToken.
    """
    claims = read(refresh, kind="refresh")
    jti, session_id = UUID(claims["jti"]), UUID(claims["sid"])
    # No join in here: whoever waited for the row would compare with the old one in the subquery.
    live = RefreshSession.objects.filter(pk=session_id, ended_at=None, expires_at__gt=now)
    with transaction.atomic():
        won = live.filter(current_jti=jti).update(current_jti=uuid4())
        session = live.select_related("user").first()
        if session is None or not won or not _may_go_on(session):
            live.update(ended_at=now)
            session = None
    if session is None:
        raise InvalidToken
    return _pair(session, now=now)


def _may_go_on(session: RefreshSession) -> bool:
    """Neither switched off since, nor given a new password."""
    user = session.user
    return user.is_active and session.auth_hash == user.get_session_auth_hash()


def access_token(*, user_id: int, email: str, now: datetime) -> str:
    """Stateless: whoever holds it is this user until it expires.

    `mbx` stands for the user's mailbox, so that codes to it can be counted without looking it up.
    """
    claims = {
        "sub": str(user_id),
        "mbx": mailbox_of(email),
        "exp": now + settings.ACCESS_TOKEN_LIFETIME,
    }
    return _sign(claims, kind="access", now=now)


def read(token: str, *, kind: TokenKind) -> dict[str, Any]:
    """The claims of a token that we signed, of this kind and in date. Raises InvalidToken."""
    try:
        key = _keys()[jwt.get_unverified_header(token)["kid"]]
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=["HS256"],
            audience=AUDIENCE,
            issuer=ISSUER,
            leeway=LEEWAY_SECONDS,
            options={"require": ["exp", "iat", "sub", "typ"]},
        )
    except (jwt.InvalidTokenError, KeyError, TypeError, ValueError) as error:
        raise InvalidToken from error
    if claims["typ"] != kind:
        raise InvalidToken
    return claims


def _pair(session: RefreshSession, *, now: datetime) -> TokenPair:
    refresh = _sign(
        {
            "sub": str(session.user_id),
            "exp": session.expires_at,
            "jti": str(session.current_jti),
            "sid": str(session.pk),
        },
        kind="refresh",
        now=now,
    )
    access = access_token(user_id=session.user_id, email=session.user.email, now=now)
    return TokenPair(access=access, refresh=refresh)


def _sign(claims: dict[str, Any], *, kind: TokenKind, now: datetime) -> str:
    kid, key = next(iter(_keys().items()))
    stamp = {"iss": ISSUER, "aud": AUDIENCE, "iat": now, "typ": kind}
    return jwt.encode(claims | stamp, key, algorithm="HS256", headers={"kid": kid})


def _keys() -> dict[str, str]:
    """By fingerprint, newest first."""
    return _by_fingerprint(tuple(settings.JWT_KEYS))


@cache
def _by_fingerprint(ring: tuple[str, ...]) -> dict[str, str]:
    return {sha256(key.encode()).hexdigest()[:12]: key for key in ring}
