"""Limits on requests, counted atomically in Redis, all limits of a request in one round trip.

Without Redis bookings go on uncounted; what guards accounts and mailboxes is then counted in each
process. A window begins with its first request. Keys name nobody: what is counted for (an address,
an account, a mailbox) goes through a keyed hash.
"""

from dataclasses import dataclass
from hashlib import blake2b
from ipaddress import IPv6Address, IPv6Network, ip_address

from django.conf import settings
from django.http import HttpRequest

from docbook import redis
from docbook.errors import RateLimited
from docbook.http.addresses import client_address
from docbook.http.process_windows import ProcessWindows

CODES_TO_A_MAILBOX = "20/h"
CODES_TO_A_PHONE = "10/h"  # they cost money, and wake people
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}

# Counts every limit, also behind one that is used up; answers the longest wait in milliseconds.
_COUNT = """
local wait = 0
for i, key in ipairs(KEYS) do
    local most, window = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
    local count = redis.call('INCR', key)
    if count == 1 then redis.call('PEXPIRE', key, window) end
    if count > most then wait = math.max(wait, redis.call('PTTL', key)) end
end
return wait
"""

_windows = ProcessWindows()

_GIVE_BACK = """
for _, key in ipairs(KEYS) do
    if tonumber(redis.call('GET', key) or '0') > 0 then redis.call('DECR', key) end
end
return 0
"""


@dataclass(frozen=True)
class Limit:
    """At most so many requests a window, for one value. `rate` like "10/m" or "10/5m"."""

    group: str
    rate: str
    value: str
    # Whether each process counts by itself while Redis does not answer; else everything passes.
    counts_without_redis: bool = False

    @property
    def key(self) -> str:
        return f"rl:{self.group}:{digest(self.value)}"

    def most_and_milliseconds(self) -> tuple[int, int]:
        most, _, period = self.rate.partition("/")
        return int(most), int(period[:-1] or 1) * _SECONDS[period[-1]] * 1000


def by_address(request: HttpRequest, *, group: str, rate: str) -> Limit:
    return Limit(f"{group}:address", rate, network_of(client_address(request)))


def by_value(*, group: str, rate: str, value: str) -> Limit:
    return Limit(group, rate, value)


def by_mailbox(mailbox: str) -> Limit:
    """Codes to one mailbox, through both doors together: nobody's is filled by us."""
    return Limit("codes-to", CODES_TO_A_MAILBOX, mailbox)


def by_phone(number: str) -> Limit:
    """Codes to one phone number, through both doors together."""
    return Limit("codes-to-phone", CODES_TO_A_PHONE, number)


def network_of(address: str) -> str:
    """Whom an address stands for: itself in IPv4, in IPv6 the /64 that one line is given whole."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if isinstance(found, IPv6Address):
        mapped = found.ipv4_mapped
        return str(mapped) if mapped else str(IPv6Network((int(found) >> 64 << 64, 64)))
    return str(found)


def mailbox_of(email: str) -> str:
    """Stands for the address where it must not be named, as in tokens."""
    return digest(email.lower())


def digest(value: str) -> str:
    key = settings.SECRET_KEY.encode()[:64]
    return blake2b(value.encode(), key=key, digest_size=12).hexdigest()


def address_key(request: HttpRequest) -> int:
    """A number that stands for the client's address, to count what it keeps; 64 bits, signed."""
    network = network_of(client_address(request))
    return int.from_bytes(bytes.fromhex(digest(network))[:8], signed=True)


def enforce(*limits: Limit) -> None:
    """Counts this request for all of them. Raises RateLimited."""
    if wait := count(*limits):
        raise RateLimited(retry_after=wait)


def count(*limits: Limit) -> int:
    """Counts this request for all of them; answers the longest wait in whole seconds, or 0."""
    arguments = [number for limit in limits for number in limit.most_and_milliseconds()]
    wait = redis.run(_COUNT, keys=[limit.key for limit in limits], arguments=arguments)
    if wait is None:
        wait = max((_count_here(each) for each in limits if each.counts_without_redis), default=0)
    return max(1, -(-wait // 1000)) if wait else 0


def _count_here(limit: Limit) -> int:
    most, milliseconds = limit.most_and_milliseconds()
    return _windows.count(limit.key, most=most, milliseconds=milliseconds)


def give_back(*limits: Limit) -> None:
    """What was counted ahead did not happen after all."""
    keys = [limit.key for limit in limits]
    if redis.run(_GIVE_BACK, keys=keys, arguments=[]) is None:
        _windows.give_back(keys)


def forget_counts_of_this_process() -> None:
    """For tests, where one process is many."""
    _windows.forget()


def limit_by_address(request: HttpRequest, *, group: str, rate: str) -> None:
    """Counts this request for its address. Raises RateLimited."""
    enforce(by_address(request, group=group, rate=rate))


def limit_by_value(*, group: str, rate: str, value: str) -> None:
    """Counts this request for something it names, like an e-mail address. Raises RateLimited."""
    enforce(by_value(group=group, rate=rate, value=value))
