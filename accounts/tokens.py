"""Tokens of mobile apps: short access tokens, and refresh tokens that work once.

These are simplejwt's token classes, signed by HS256 with a ring of keys: the newest key signs,
older ones verify, and `kid` names the key by its fingerprint. With simplejwt, several requests with
the same refresh token can all win, so the token families are ours. See docs/adr/0005.
"""

import json
import time
from base64 import urlsafe_b64decode
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, lru_cache
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

import jwt
from django.conf import settings
from django.db import transaction
from rest_framework_simplejwt import tokens as simplejwt
from rest_framework_simplejwt.backends import TokenBackend
from rest_framework_simplejwt.exceptions import TokenBackendError, TokenError
from rest_framework_simplejwt.settings import api_settings

from accounts.models import RefreshSession, User
from docbook.errors import DomainError
from docbook.http.keyed_digest import mailbox_of

ISSUER = api_settings.ISSUER
AUDIENCE = api_settings.AUDIENCE
LARGEST_ID = 2**63 - 1


class InvalidToken(DomainError):
    """Forged, expired, used before, or of somebody who may no longer sign in."""

    code = "token-invalid"


class KeyRing(TokenBackend):
    """simplejwt knows one key; here `kid` selects one of settings.JWT_KEYS."""

    def encode(self, payload: dict[str, Any]) -> str:
        kid, key = next(iter(_keys().items()))
        stamp = {"iss": self.issuer, "aud": self.audience}
        return jwt.encode(payload | stamp, key, algorithm=self.algorithm, headers={"kid": kid})

    def get_verifying_key(self, token: Any) -> str:
        text = token if isinstance(token, bytes) else token.encode("ascii")
        return _keys()[_kid(text.partition(b".")[0])]

    def decode(self, token: Any, verify: bool = True) -> dict[str, Any]:
        """An app sends the same token for ten minutes. Its signature is checked once in each
        process; that it has not expired, each time.
        """
        if not verify:
            return self._decode(token, verify=False)
        payload = _verified(self, token, tuple(settings.JWT_KEYS))
        ends = payload.get("exp")
        if type(ends) is not int or ends <= time.time():
            return self._decode(token)
        return payload.copy()

    def _decode(self, token: Any, *, verify: bool = True) -> dict[str, Any]:
        """PyJWT raises various errors if a claim or the header has an unexpected type."""
        try:
            return super().decode(token, verify=verify)
        except (ArithmeticError, LookupError, TypeError, ValueError, RecursionError) as error:
            raise TokenBackendError("Token is invalid") from error


@lru_cache(maxsize=4096)
def _verified(ring: KeyRing, token: Any, _keys: tuple[str, ...]) -> dict[str, Any]:
    """The claims of a token that was valid when it was first seen. Errors are not kept."""
    return ring._decode(token)


class _Ours(simplejwt.Token):
    """Refuses tokens whose claims have other types than `access_token` and `_pair` give them.

    PyJWT has already compared audience, issuer and times with ours. But it accepts numbers as text,
    and any value in claims that it does not know.
    """

    _token_backend = KeyRing(
        api_settings.ALGORITHM, audience=AUDIENCE, issuer=ISSUER, leeway=api_settings.LEEWAY
    )

    def verify(self) -> None:
        self.verify_token_type()
        try:
            self.read_claims()
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            raise TokenError("Token has odd claims") from error

    def read_claims(self) -> None:
        ends, began = self.payload["exp"], self.payload["iat"]
        if type(ends) is not int or type(began) is not int or abs(ends - began) > _longest_term():
            raise ValueError
        subject = self.payload["sub"]
        if not (subject.isascii() and subject.isdecimal() and int(subject) <= LARGEST_ID):
            raise ValueError
        self.user_id = int(subject)

    def set_jti(self) -> None:
        """Does nothing: only refresh tokens have an id, which is their session's."""


def _longest_term() -> float:
    """The longest lifetime of any token, in seconds."""
    return float(settings.REFRESH_TOKEN_LIFETIME.total_seconds() + api_settings.LEEWAY)


class AccessToken(_Ours, simplejwt.AccessToken):
    """Belongs to one user; `mailbox` stands for their address."""

    def read_claims(self) -> None:
        super().read_claims()
        self.mailbox = self.payload.get("mbx", "")
        if type(self.mailbox) is not str or len(self.mailbox) > 64:
            raise TypeError


class RefreshToken(_Ours, simplejwt.RefreshToken):  # type: ignore[misc]  # a slip in its types
    """Works once, within one family."""

    def read_claims(self) -> None:
        super().read_claims()
        self.jti, self.session_id = UUID(self.payload["jti"]), UUID(self.payload["sid"])


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


def live_sessions(user: User, *, now: datetime, most: int) -> list[RefreshSession]:
    """The apps in which the user is signed in, newest first."""
    live = user.refresh_sessions.filter(ended_at=None, expires_at__gt=now)
    return list(live.order_by("-created_at")[:most])


def rotate_session(*, refresh: str, now: datetime) -> TokenPair:
    """Exchanges a refresh token for a new pair; each token works once.

    The exchange is a compare-and-swap on the session's row. A token that lost it, or was used
    before, ends the session: somebody has a copy. Raises InvalidToken.
    """
    token = _read_refresh(refresh)
    # No join here: a caller that waited for the row would compare with its old version.
    live = RefreshSession.objects.filter(pk=token.session_id, ended_at=None, expires_at__gt=now)
    with transaction.atomic():
        won = live.filter(current_jti=token.jti).update(current_jti=uuid4())
        session = live.select_related("user").first()
        if session is None or not won or not _may_go_on(session):
            live.update(ended_at=now)
            session = None
    if session is None:
        raise InvalidToken
    return _pair(session, now=now)


def _read_refresh(token: str) -> RefreshToken:
    try:
        # always text, although its type does not say so
        return RefreshToken(token)  # type: ignore[arg-type]
    except TokenError as error:
        raise InvalidToken from error


def _may_go_on(session: RefreshSession) -> bool:
    """Whether the account is still active and has the same password."""
    user = session.user
    return user.is_active and session.auth_hash == user.get_session_auth_hash()


def access_token(*, user_id: int, email: str, now: datetime) -> str:
    """Stateless: its bearer is this user until it expires.

    `mbx` stands for the user's mailbox, so codes to it can be counted without a look-up.
    """
    token = AccessToken()
    token["sub"], token["mbx"] = str(user_id), mailbox_of(email)
    token.set_iat(at_time=now)
    token.set_exp(from_time=now, lifetime=settings.ACCESS_TOKEN_LIFETIME)
    return str(token)


def _pair(session: RefreshSession, *, now: datetime) -> TokenPair:
    refresh = RefreshToken()
    refresh["sub"] = str(session.user_id)
    refresh["jti"], refresh["sid"] = str(session.current_jti), str(session.pk)
    refresh.set_iat(at_time=now)
    refresh.set_exp(from_time=session.expires_at, lifetime=timedelta(0))
    access = access_token(user_id=session.user_id, email=session.user.address, now=now)
    return TokenPair(access=access, refresh=str(refresh))


def _keys() -> dict[str, str]:
    """By fingerprint, newest first."""
    return _by_fingerprint(tuple(settings.JWT_KEYS))


@cache
def _by_fingerprint(ring: tuple[str, ...]) -> dict[str, str]:
    return {sha256(key.encode()).hexdigest()[:12]: key for key in ring}


@lru_cache(maxsize=64)
def _kid(header: bytes) -> Any:
    """Reads the token's first part, which is the same for all tokens signed with one key."""
    return json.loads(urlsafe_b64decode(header + b"=" * (-len(header) % 4)))["kid"]
