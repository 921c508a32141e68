"""Details and codes: what is renewed, how often a code is sent, and where to."""

from datetime import timedelta

import pytest
from django.utils import timezone

from bookings.errors import DetailsMissing, HoldExpired
from bookings.holding.services.codes import (
    Recipient,
    destination_of,
    resend_at,
    resend_code,
    seconds_until_resend,
)
from bookings.models import Hold
from bookings.models.holds import MAX_CODE_RESENDS
from docbook.errors import NotFound, RateLimited
from docbook.outbox.models import OutboxMessage
from doctors.models import Slot
from tests.bookings.acts import (
    allow_resend,
    as_patient,
    ask_for_code,
    attempt,
    bookable,
    code_of,
    guest,
    let_expire,
    take,
)
from tests.bookings.traces import traces
from tests.factories import make_patient
from tests.limits import allow

pytestmark = pytest.mark.django_db


def held() -> tuple[Hold, object]:
    visit_type, slots = bookable()
    holder = guest()
    return take(slots[0], visit_type=visit_type, holder=holder), holder


def requests_for_codes() -> list[dict[str, str]]:
    messages = OutboxMessage.objects.filter(topic="otp.requested").order_by("id")
    return [message.payload for message in messages]


def age(hold: Hold) -> None:
    """Three of the five minutes are over."""
    until = timezone.now() + timedelta(minutes=2)
    Hold.objects.filter(pk=hold.pk).update(expires_at=until)
    Slot.objects.filter(pk__in=hold.slot_ids).update(held_until=until)


def minutes_left(hold: Hold) -> float:
    hold.refresh_from_db()
    (slot,) = Slot.objects.filter(pk__in=hold.slot_ids)
    assert slot.held_until == hold.expires_at
    return (hold.expires_at - timezone.now()).total_seconds() / 60


def test_code_of_a_patient_goes_to_their_own_address_whatever_was_given() -> None:
    visit_type, slots = bookable()
    patient = make_patient(email="Ana@example.test")
    hold = attempt(
        slots[0], visit_type=visit_type, holder=as_patient(patient), email="other@example.test"
    )
    assert Hold.objects.get(pk=hold.pk).email == "ana@example.test"


def test_code_counts_for_its_recipient_only_if_it_is_sent(monkeypatch) -> None:
    allow(monkeypatch, codes_to=2, codes_any_case=0)
    late, its_holder = held()
    let_expire(late)
    with pytest.raises(HoldExpired):
        ask_for_code(late, holder=its_holder)
    hold, holder = held()
    ask_for_code(hold, holder=holder)
    ask_for_code(hold, holder=holder)  # the same address gets nothing twice
    second, its_holder = held()
    ask_for_code(second, holder=its_holder)
    third, its_holder = held()
    with pytest.raises(RateLimited):
        ask_for_code(third, holder=its_holder)


def test_code_that_was_sent_stays_counted(monkeypatch) -> None:
    allow(monkeypatch, codes_to=1, codes_any_case=0)
    hold, holder = held()
    ask_for_code(hold, holder=holder)
    other, its_holder = held()
    with pytest.raises(RateLimited):
        ask_for_code(other, holder=its_holder)


@pytest.mark.parametrize("full", ["codes_to", "mail_day"])
def test_one_code_goes_out_in_any_case_however_many_strangers_asked_for(monkeypatch, full) -> None:
    allow(monkeypatch, **{full: 1}, codes_any_case=1)
    for _ in range(2):
        hold, holder = held()
        ask_for_code(hold, holder=holder)
    hold, holder = held()
    with pytest.raises(RateLimited):
        ask_for_code(hold, holder=holder)
    assert len(requests_for_codes()) == 2


def test_strangers_use_up_no_codes_of_a_patient_who_is_signed_in(monkeypatch) -> None:
    allow(monkeypatch, codes_to=1, codes_any_case=0)
    patient = make_patient(email="saskia.kuipers@example.test")
    hold, holder = held()
    ask_for_code(hold, holder=holder)
    visit_type, slots = bookable()
    own = attempt(slots[0], visit_type=visit_type, holder=as_patient(patient))
    assert own.code_sent_at


@pytest.mark.parametrize(
    ("channel", "patient_id", "phone", "expected"),
    [
        ("email", 1, "+31 6 5550 1234", "email"),
        ("sms", 1, "+31 6 5550 1234", "sms"),
        ("sms", None, "+31 6 5550 1234", "email"),
        ("sms", 1, "", "email"),
    ],
)
def test_text_goes_to_the_number_of_a_patient_only(
    settings, channel, patient_id, phone, expected
) -> None:
    settings.CODE_CHANNEL = channel
    found = destination_of(Recipient(patient_id, "saskia@example.test", phone))
    assert found.channel == expected


def test_texts_are_counted_by_their_number(settings, monkeypatch) -> None:
    settings.CODE_CHANNEL = "sms"
    allow(monkeypatch, codes_to_phone=1)
    visit_type, slots = bookable()
    phones = ["+31 6 5550 1234", "+31 6 5550 1235", "+31 6 5550 1234"]
    for phone, slot in zip(phones[:2], slots, strict=False):
        attempt(slot, visit_type=visit_type, holder=as_patient(make_patient()), phone=phone)
    with pytest.raises(RateLimited):
        attempt(slots[2], visit_type=visit_type, holder=as_patient(make_patient()), phone=phones[2])


def test_first_request_renews_the_hold_to_its_full_term() -> None:
    hold, holder = held()
    age(hold)
    ask_for_code(hold, holder=holder)
    assert minutes_left(hold) > 4.9


def test_second_request_does_not_renew_it_again() -> None:
    hold, holder = held()
    ask_for_code(hold, holder=holder)
    age(hold)
    ask_for_code(hold, holder=holder, first_name="Sacha")
    assert minutes_left(hold) < 2.1
    assert hold.first_name == "Sacha"


def test_code_is_asked_for_with_ids_only() -> None:
    hold, holder = held()
    ask_for_code(hold, holder=holder)
    assert requests_for_codes() == [{"hold_id": str(hold.pk), "resend": "0"}]


def test_same_details_twice_send_one_code() -> None:
    hold, holder = held()
    ask_for_code(hold, holder=holder)
    ask_for_code(hold, holder=holder)
    assert len(requests_for_codes()) == 1
    hold.refresh_from_db()
    assert hold.otp_resends == 0


def test_another_address_gets_a_new_code_and_counts_as_a_resend() -> None:
    hold, holder = held()
    ask_for_code(hold, holder=holder)
    first = code_of(hold)
    ask_for_code(hold, holder=holder, email="other@example.test")
    assert code_of(hold) != first
    assert [each["resend"] for each in requests_for_codes()] == ["0", "1"]


def test_address_cannot_be_changed_for_ever() -> None:
    hold, holder = held()
    for number in range(MAX_CODE_RESENDS + 1):
        ask_for_code(hold, holder=holder, email=f"address-{number}@example.test")
    before = traces()
    with pytest.raises(RateLimited):
        ask_for_code(hold, holder=holder, email="one-too-many@example.test")
    assert traces() == before
    hold.refresh_from_db()
    assert hold.email == f"address-{MAX_CODE_RESENDS}@example.test"


def test_new_code_is_sent_after_half_a_minute_and_not_before() -> None:
    hold, holder = held()
    ask_for_code(hold, holder=holder)
    with pytest.raises(RateLimited) as refusal:
        resend_code(hold_id=hold.pk, holder=holder, now=timezone.now())
    assert 28 <= refusal.value.retry_after <= 30
    first = code_of(hold)
    allow_resend(hold)
    resend_code(hold_id=hold.pk, holder=holder, now=timezone.now())
    assert code_of(hold) != first


def test_new_code_is_sent_three_times_at_most() -> None:
    hold, holder = held()
    ask_for_code(hold, holder=holder)
    for _ in range(MAX_CODE_RESENDS):
        allow_resend(hold)
        resend_code(hold_id=hold.pk, holder=holder, now=timezone.now())
    allow_resend(hold)
    with pytest.raises(RateLimited):
        resend_code(hold_id=hold.pk, holder=holder, now=timezone.now())
    assert len(requests_for_codes()) == 4
    hold.refresh_from_db()
    assert resend_at(hold) is None
    assert seconds_until_resend(hold=hold, now=timezone.now()) == 0


def test_resend_before_any_details_is_refused() -> None:
    hold, holder = held()
    with pytest.raises(DetailsMissing):
        resend_code(hold_id=hold.pk, holder=holder, now=timezone.now())


def test_expired_hold_takes_no_details_and_sends_no_code() -> None:
    hold, holder = held()
    let_expire(hold)
    before = traces()
    with pytest.raises(HoldExpired):
        ask_for_code(hold, holder=holder)
    with pytest.raises(HoldExpired):
        resend_code(hold_id=hold.pk, holder=holder, now=timezone.now())
    assert traces() == before
    hold.refresh_from_db()
    assert hold.email == ""


@pytest.mark.parametrize("stranger", [guest, lambda: as_patient(make_patient())])
def test_stranger_gives_no_details_and_gets_no_code(stranger) -> None:
    visit_type, slots = bookable()
    hold = attempt(slots[0], visit_type=visit_type, holder=guest())
    allow_resend(hold)
    holder = stranger()
    before = traces()
    with pytest.raises(NotFound):
        ask_for_code(hold, holder=holder, email="thief@example.test")
    with pytest.raises(NotFound):
        resend_code(hold_id=hold.pk, holder=holder, now=timezone.now())
    assert traces() == before
