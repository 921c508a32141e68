"""A code that comes after the five minutes."""

import pytest

from bookings.errors import HoldExpired
from bookings.holding.services.confirmation import confirm_booking
from bookings.models import Hold
from tests.bookings.acts import attempt, bookable, code_of, guest, let_expire, wrong_code

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("code_from", [code_of, wrong_code], ids=["right", "wrong"])
def test_late_code_hears_that_the_time_is_over_and_costs_no_try(code_from) -> None:
    visit_type, slots = bookable()
    holder = guest()
    hold = attempt(slots[0], visit_type=visit_type, holder=holder)
    code = code_from(hold)
    let_expire(hold)
    with pytest.raises(HoldExpired):
        confirm_booking(hold_id=hold.pk, holder=holder, code=code)
    assert Hold.objects.get().otp_attempts == 0
