"""Digests that stand for a person where nobody may be named. Only we can make them."""

from functools import lru_cache
from hashlib import blake2b
from ipaddress import IPv6Address, IPv6Network, ip_address

from django.conf import settings
from django.http import HttpRequest

from docbook.http.addresses import client_address


def digest(value: str) -> str:
    key = settings.SECRET_KEY.encode()[:64]
    return blake2b(value.encode(), key=key, digest_size=12).hexdigest()


def mailbox_of(email: str) -> str:
    """Stands for the address where it must not be named, as in tokens."""
    return digest(email.lower())


def target_of(email: str) -> str:
    """Stands for what a code to this mailbox opens. Wrong codes through all doors count together
    against it.
    """
    return digest(f"mailbox-{mailbox_of(email)}")


def network_of(address: str) -> str:
    """The network of an address: in IPv4 the address itself, in IPv6 the /64 that one line
    is given.
    """
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if isinstance(found, IPv6Address):
        mapped = found.ipv4_mapped
        return str(mapped) if mapped else str(IPv6Network((int(found) >> 64 << 64, 64)))
    return str(found)


def network_digest(request: HttpRequest) -> str:
    return _digest_of_network(client_address(request), settings.SECRET_KEY)


@lru_cache(maxsize=4096)
def _digest_of_network(address: str, _key: str) -> str:
    return digest(network_of(address))


def address_key(request: HttpRequest) -> int:
    """A number that stands for the client's address and counts its holds; 64 bits, signed."""
    return int.from_bytes(bytes.fromhex(network_digest(request))[:8], signed=True)
