"""The one-time code is derived, and only its own hold and resend give it."""

import hashlib
import hmac
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from bookings.holding.codes import derive, matches

HOLD = UUID("01985f3e-0000-7000-8000-000000000001")
OTHER = UUID("01985f3e-0000-7000-8000-000000000002")

# printf 'booking-code:01985f3e-0000-7000-8000-000000000001:0' | openssl dgst -sha256 -hmac KEY
MAC_OF_OPENSSL = "320f332730c8d8ad54a3387d683688b5d40906755098d2b934a1c087b1820539"


def truncate(mac: str) -> str:
    """RFC 4226, 5.3, implemented again on the hexadecimal text."""
    offset = int(mac[-1], 16)
    number = int(mac[2 * offset : 2 * offset + 8], 16) % 2**31
    return str(number)[-6:].zfill(6)


def test_code_is_the_hotp_truncation_of_the_mac_that_openssl_makes() -> None:
    assert derive(key="first key", hold_id=HOLD, resend=0) == truncate(MAC_OF_OPENSSL)


@given(key=st.text(min_size=1, max_size=40), hold_id=st.uuids(), resend=st.integers(0, 3))
def test_code_has_six_digits_and_follows_the_standard(key: str, hold_id: UUID, resend: int) -> None:
    text = f"booking-code:{hold_id}:{resend}".encode()
    code = derive(key=key, hold_id=hold_id, resend=resend)
    assert len(code) == 6
    assert code == truncate(hmac.new(key.encode(), text, hashlib.sha256).hexdigest())


def test_resend_and_hold_and_key_each_change_the_code() -> None:
    codes = {
        derive(key=key, hold_id=hold_id, resend=resend)
        for key in ("first key", "second key")
        for hold_id in (HOLD, OTHER)
        for resend in (0, 1, 2, 3)
    }
    assert len(codes) == 16


def test_code_of_an_older_key_in_the_ring_still_opens() -> None:
    sent_before_rotation = derive(key="old", hold_id=HOLD, resend=0)
    ring = {"hold_id": HOLD, "resend": 0, "code": sent_before_rotation}
    assert matches(keys=["new", "old"], **ring)
    assert not matches(keys=["new"], **ring)
    assert not matches(keys=[], **ring)


def test_code_of_the_message_before_a_resend_opens_nothing() -> None:
    first = derive(key="k", hold_id=HOLD, resend=0)
    assert not matches(code=first, keys=["k"], hold_id=HOLD, resend=1)


def test_text_that_is_no_code_is_wrong_and_not_an_error() -> None:
    for text in ("", "１２３４５６", "\x00" * 6, "9" * 1000):
        assert not matches(code=text, keys=["k"], hold_id=HOLD, resend=0)
