"""Secrets that we must be able to read again: encrypted before they reach the database.

For a password a digest is enough. A second factor needs its secret to compute each code, and a
calendar elsewhere is read at its address (doctors.services.external_calendars). The keys are the
ring `SECOND_FACTOR_KEYS`, which is in no database and no backup of one. Secrets written by an older
release stay plain until the first nightly task after the upgrade, and backups from before it show
them.
"""

import base64
from collections.abc import Callable, Sequence
from functools import lru_cache

from allauth.mfa.models import Authenticator
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction

# Secrets with another prefix date from before the ring. No secret of allauth has a colon.
ENCRYPTED = "fernet:"
# Where allauth keeps them in the data of a row.
_NAMES = ("secret", "seed")


def encrypt(text: str) -> str:
    return ENCRYPTED + _ring().encrypt(text.encode()).decode()


def decrypt(text: str) -> str:
    """Raises ImproperlyConfigured if no key of the ring encrypted the text."""
    if not text.startswith(ENCRYPTED):
        return text
    try:
        return _ring().decrypt(_token(text)).decode()
    except InvalidToken as error:
        raise ImproperlyConfigured(
            "SECOND_FACTOR_KEYS: no key opens a secret. Put back the key that was there before."
        ) from error


def renew_all() -> int:
    """Encrypts secrets that are plain or have an older key with the newest key; returns how many
    rows.

    Afterwards the older keys can leave the ring.
    """
    return sum(_rewrite(pk, renewed) for pk in _rows())


@transaction.atomic
def decrypt_all() -> int:
    """Makes every secret plain, for a release that cannot decrypt; returns how many rows.

    Raises ImproperlyConfigured if a key is missing; then nothing has changed.
    """
    return sum(_rewrite(pk, decrypt) for pk in _rows())


def _rows() -> list[int]:
    return list(Authenticator.objects.order_by("pk").values_list("pk", flat=True))


@transaction.atomic
def _rewrite(pk: int, written_anew: Callable[[str], str]) -> bool:
    # Somebody who uses a code at the same time writes to this row.
    row = Authenticator.objects.select_for_update().filter(pk=pk).first()
    if row is None:
        return False
    old = {name: row.data[name] for name in _NAMES if name in row.data}
    new = {name: written_anew(text) for name, text in old.items()}
    if new == old:
        return False
    row.data |= new
    row.save(update_fields=["data"])
    return True


def renewed(text: str) -> str:
    """The secret encrypted with the newest key; the same text if it is already."""
    return text if _is_newest(text) else encrypt(decrypt(text))


def _is_newest(text: str) -> bool:
    if not text.startswith(ENCRYPTED):
        return False
    try:
        _fernets(tuple(settings.SECOND_FACTOR_KEYS))[0].decrypt(_token(text))
    except InvalidToken:
        return False
    return True


def _token(text: str) -> bytes:
    return text.removeprefix(ENCRYPTED).encode()


def _ring() -> MultiFernet:
    return MultiFernet(_fernets(tuple(settings.SECOND_FACTOR_KEYS)))


@lru_cache(maxsize=4)
def _fernets(keys: tuple[str, ...]) -> Sequence[Fernet]:
    """A key of ours is any long text; HKDF derives the 32 bytes that Fernet needs from it."""
    return [Fernet(base64.urlsafe_b64encode(_derived(key))) for key in keys]


def _derived(key: str) -> bytes:
    purpose = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"docbook second factor")
    return purpose.derive(key.encode())
