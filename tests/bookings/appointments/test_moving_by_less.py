"""A visit of several slots that moves by fewer of them: old and new time share a part."""

import pytest
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django_redis import get_redis_connection

from accounts.models import User
from bookings.appointments.services.changes import cancel_appointment
from bookings.appointments.services.moves import move_appointment
from bookings.engine.services import release_hold, sweep_holds
from bookings.errors import HoldExpired, NotChangeable, SlotHeld, SlotTaken
from bookings.holding.services.codes import resend_code
from bookings.holding.services.confirmation import confirm_booking
from bookings.holding.services.holds import hold_slot
from bookings.invariants.checks import check_invariants
from bookings.models import Appointment, Hold
from docbook.errors import FieldError
from doctors.models import Slot, VisitType
from tests.api.client import Api, problem
from tests.audit.chain import another_connection
from tests.bookings.acts import (
    allow_resend,
    as_patient,
    ask_for_code,
    attempt,
    book,
    bookable,
    code_of,
    guest,
    hold_instead,
    let_expire,
)
from tests.bookings.parties import staff
from tests.factories import make_patient, make_slots, tomorrow_at
from tests.pages.browser import offered_slots, signed_in, words

pytestmark = pytest.mark.django_db


def booked(
    *, at: int, length: int = 2, kept_free: int = 0
) -> tuple[User, Appointment, VisitType, list[Slot]]:
    """A visit in three days that begins with the slot of this number, of six."""
    patient = make_patient()
    visit_type, _tomorrow = bookable(count=0, slots=length)
    visit_type.buffer_slots = kept_free
    visit_type.save()
    slots = make_slots(doctor=visit_type.doctor, starts_at=tomorrow_at(days=3), count=6)
    visit = book(slots[at], visit_type=visit_type, holder=as_patient(patient))
    return patient, visit, visit_type, slots


def confirm(hold: Hold, patient: User) -> Appointment:
    return confirm_booking(hold_id=hold.pk, holder=as_patient(patient), code=code_of(hold))


def owners(slots: list[Slot], *, old: Appointment, new: Hold) -> str:
    """For each slot: o the old visit's, h held and n booked for the new time, . open."""
    names = {
        ("booked", old.pk): "o",
        ("held", new.pk): "h",
        ("booked", new.pk): "n",
        ("open", None): ".",
    }
    found = Slot.objects.in_bulk([slot.pk for slot in slots])
    return "".join(names[found[each.pk].state, found[each.pk].hold_id] for each in slots)


def kept() -> list[str]:
    return [str(each.finding) for each in check_invariants() if each.is_broken]


@pytest.mark.parametrize(
    ("length", "kept_free", "to", "meanwhile", "after"),
    [
        (2, 0, 3, "..ooh.", "...nn."),
        (2, 0, 1, ".hoo..", ".nn..."),
        (3, 0, 3, "..oooh", "...nnn"),
        (1, 1, 3, "..ooh.", "...nn."),
        (1, 1, 1, ".hoo..", ".nn..."),
        (2, 1, 0, "hhooo.", "nnn..."),
    ],
)
def test_what_both_times_share_stays_the_old_visits_until_the_code(
    length: int, kept_free: int, to: int, meanwhile: str, after: str
) -> None:
    patient, old, _type, slots = booked(at=2, length=length, kept_free=kept_free)
    hold = hold_instead(old, slots[to])
    assert owners(slots, old=old, new=hold) == meanwhile
    assert kept() == []
    new = confirm(hold, patient)
    assert owners(slots, old=old, new=hold) == after
    assert (new.starts_at, new.replaces) == (slots[to].starts_at, old.pk)
    assert kept() == []


@pytest.mark.parametrize("end", [release_hold, "sweep"])
def test_attempt_that_comes_to_nothing_leaves_the_old_visit_whole(end: object) -> None:
    patient, old, _type, slots = booked(at=2)
    hold = hold_instead(old, slots[3])
    if end == "sweep":
        let_expire(hold)
        assert sweep_holds() == 1
    else:
        release_hold(hold_id=hold.pk, holder=as_patient(patient))
    assert owners(slots, old=old, new=hold) == "..oo.."
    assert kept() == []


def test_another_code_renews_what_is_held_and_the_move_goes_on() -> None:
    patient, old, _type, slots = booked(at=2)
    hold = hold_instead(old, slots[1])
    allow_resend(hold)
    resend_code(hold_id=hold.pk, holder=as_patient(patient), now=timezone.now())
    assert confirm(hold, patient).starts_at == slots[1].starts_at


def test_nobody_else_gets_what_both_times_share() -> None:
    _patient, old, visit_type, slots = booked(at=2)
    hold_instead(old, slots[3])
    with pytest.raises(SlotTaken):
        attempt(slots[2], visit_type=visit_type, holder=guest())


def test_somebody_elses_visit_is_not_shared() -> None:
    """Only its own slots are free for the visit itself."""
    _patient, old, visit_type, slots = booked(at=2)
    book(slots[4], visit_type=visit_type, holder=guest(), email="next@example.test")
    with pytest.raises(SlotTaken):
        hold_instead(old, slots[3])


def test_visit_does_not_move_to_its_own_time() -> None:
    _patient, old, _type, slots = booked(at=2)
    with pytest.raises(FieldError) as refusal:
        hold_instead(old, slots[2])
    assert refusal.value.field == "replaces"


def test_visit_that_is_called_off_meanwhile_takes_the_shared_slots_with_it() -> None:
    patient, old, visit_type, slots = booked(at=2)
    hold = hold_instead(old, slots[3])
    cancel_appointment(appointment_id=old.pk, by=as_patient(patient), version=1, now=timezone.now())
    assert owners(slots, old=old, new=hold) == "....h."
    assert kept() == []
    with pytest.raises(NotChangeable) as refusal:
        confirm(hold, patient)
    assert refusal.value.status == "cancelled"
    # Until the attempt has ended, somebody is confirming its time; then anybody may have it.
    with pytest.raises(SlotHeld):
        attempt(slots[2], visit_type=visit_type, holder=guest())
    release_hold(hold_id=hold.pk, holder=as_patient(patient))
    book(slots[2], visit_type=visit_type, holder=guest(), email="next@example.test")


@pytest.mark.parametrize("change", ["cancel", "move", "move by the practice"])
def test_attempt_to_move_ends_with_the_visit_that_it_would_move(
    change: str, django_capture_on_commit_callbacks
) -> None:
    """Its time, shared or held, is open to anybody at once, and so is its gate."""
    patient, old, visit_type, slots = booked(at=2)
    hold = hold_instead(old, slots[3])
    with django_capture_on_commit_callbacks(execute=True):
        if change == "cancel":
            cancel_appointment(
                appointment_id=old.pk, by=as_patient(patient), version=1, now=timezone.now()
            )
        elif change == "move":
            confirm(hold_instead(old, slots[0]), patient)
        else:
            move_appointment(
                appointment_id=old.pk,
                slot_id=slots[0].pk,
                by=staff(old),
                version=1,
                reason="The doctor is away.",
                now=timezone.now(),
            )
    hold.refresh_from_db()
    assert hold.state == "released"
    with pytest.raises(NotChangeable) as refusal:
        confirm(hold, patient)
    assert refusal.value.status == ("cancelled" if change == "cancel" else "rescheduled")
    assert "h" not in owners(slots[2:], old=old, new=hold)
    book(slots[3], visit_type=visit_type, holder=guest(), email="next@example.test")
    assert kept() == []


def test_details_that_come_after_the_visit_was_called_off_renew_nothing() -> None:
    patient, old, _type, slots = booked(at=2)
    holder = as_patient(patient)
    hold = hold_slot(
        slot_id=slots[3].pk,
        visit_type_id=old.visit_type_id,
        holder=holder,
        replaces=old.pk,
        now=timezone.now(),
    )
    cancel_appointment(appointment_id=old.pk, by=holder, version=1, now=timezone.now())
    with pytest.raises(HoldExpired):
        ask_for_code(hold, holder=holder)


def test_both_doors_offer_times_that_overlap_the_old_one_and_not_the_old_one_itself() -> None:
    patient, old, _type, slots = booked(at=2)
    day = f"date={slots[0].starts_at.astimezone(old.clinic.zone):%Y-%m-%d}"
    page = signed_in(patient).get(f"/appointments/{old.pk}/reschedule/?{day}")
    answer = Api(patient).times_to_move_to(old.pk).json()
    told = [parse_datetime(each["startsAt"]) for each in answer["items"]]
    offered = [slots[n].pk for n in (0, 1, 3, 4)]
    assert offered_slots(page) == offered
    assert told == [slots[n].starts_at for n in (0, 1, 3, 4)]


def test_right_code_by_the_api_moves_a_long_visit_by_one_slot() -> None:
    patient, old, visit_type, slots = booked(at=2)
    api = Api(patient)
    started = api.start(slot_id=slots[3].pk, visit_type_id=visit_type.pk, replaces=str(old.pk))
    hold = Hold.objects.get(pk=started.json()["attemptId"])
    answer = api.verify(hold.pk, code_of(hold)).json()
    assert parse_datetime(answer["startsAt"]) == slots[3].starts_at
    assert answer["replaces"] == str(old.pk)


def test_visit_moves_into_what_it_kept_free_and_needs_no_slot_besides() -> None:
    """Nothing of the new time is held: all of it belongs to the old visit. It can still be renewed,
    requested again and confirmed.
    """
    patient, old, _type, slots = booked(at=4, length=1, kept_free=1)
    hold = hold_instead(old, slots[5])
    assert owners(slots, old=old, new=hold) == "....oo"
    assert kept() == []
    allow_resend(hold)
    resend_code(hold_id=hold.pk, holder=as_patient(patient), now=timezone.now())
    new = confirm(hold, patient)
    assert owners(slots, old=old, new=hold) == ".....n"
    assert new.starts_at == slots[5].starts_at
    assert kept() == []


@pytest.mark.django_db(transaction=True)  # a claim sweeps only outside a transaction
@pytest.mark.parametrize("again", ["the shared slot", "the whole time"])
def test_lapsed_attempt_that_nobody_has_swept_blocks_nobody(again: str, monkeypatch) -> None:
    """It uses slots of the visit, which was cancelled. The slots themselves do not name the
    attempt.
    """
    patient, old, visit_type, slots = booked(at=2)
    hold = hold_instead(old, slots[3])
    let_expire(hold)
    # As if the process died just after the commit.
    monkeypatch.setattr(
        "bookings.appointments.services.changes.end_other_moves", lambda **_of: None
    )
    cancel_appointment(appointment_id=old.pk, by=as_patient(patient), version=1, now=timezone.now())
    get_redis_connection("default").flushdb()  # its gate has lapsed with it
    first = {"the shared slot": slots[2], "the whole time": slots[3]}[again]
    book(first, visit_type=visit_type, holder=guest(), email="next@example.test")
    hold.refresh_from_db()
    assert hold.state == "expired"
    assert kept() == []


def test_second_tap_on_a_time_that_overlaps_the_old_one_goes_on_with_the_first() -> None:
    patient, old, visit_type, slots = booked(at=2)
    api = Api(patient)
    asked = {
        "slot_id": slots[3].pk,
        "visit_type_id": visit_type.pk,
        "replaces": str(old.pk),
    }
    first = api.start(**asked).json()
    again = problem(api.start(**asked), code="slot-held", status=409)
    assert again["attemptId"] == first["attemptId"]
    browser = signed_in(patient)
    tap = {"slot": slots[3].pk, "visit_type": visit_type.pk, "replaces": str(old.pk)}
    page = browser.post("/book/", tap)
    assert page.headers["Location"] == f"/book/{first['attemptId']}/code/"


def test_attempt_to_move_is_no_answer_to_a_new_booking_of_that_time() -> None:
    """A patient who confirmed it would move the visit that they meant to keep."""
    patient, old, visit_type, slots = booked(at=0, length=1)
    hold_instead(old, slots[3])
    new = Api(patient).start(slot_id=slots[3].pk, visit_type_id=visit_type.pk)
    assert "attemptId" not in problem(new, code="slot-held", status=409)


def test_other_time_that_overlaps_ones_own_attempt_is_not_said_to_be_somebody_elses() -> None:
    """For a visit of three slots both seem free: the shared ones still belong to the visit."""
    patient, old, visit_type, slots = booked(at=2, length=3)
    first = hold_instead(old, slots[3])
    wanted = {"slot_id": slots[1].pk, "visit_type_id": visit_type.pk, "replaces": str(old.pk)}
    refused = problem(Api(patient).start(**wanted), code="slot-held", status=409)
    assert refused["detail"] == (
        "You are holding this time, or one that overlaps it: give it back first."
    )
    assert "attemptId" not in refused
    browser = signed_in(patient)
    tap = {"slot": slots[1].pk, "visit_type": visit_type.pk, "replaces": old.pk}
    page = browser.post("/book/", tap)
    assert page.status_code == 409
    assert "which overlaps" in words(page)
    assert f'name="instead_of" value="{first.pk}"' in page.content.decode()
    swapped = browser.post("/book/", {**tap, "instead_of": first.pk})
    assert swapped.status_code == 302
    assert kept() == []


def test_attempt_that_has_lapsed_is_offered_again_where_it_shares_slots() -> None:
    patient, old, _type, slots = booked(at=2)
    hold = hold_instead(old, slots[3])
    let_expire(hold)
    page = words(signed_in(patient).get(f"/book/{hold.pk}/code/"))
    assert "It is still free. Hold it again?" in page


def test_what_is_offered_instead_of_a_time_that_is_gone_may_overlap_the_visit_that_moves() -> None:
    patient, old, visit_type, slots = booked(at=3)
    book(slots[0], visit_type=visit_type, holder=guest(), email="first@example.test")
    wanted = {"slot_id": slots[1].pk, "visit_type_id": visit_type.pk, "replaces": str(old.pk)}
    refused = problem(Api(patient).start(**wanted), code="slot-taken", status=409)
    # From the wanted one on, with two slots of its own each, and not where the visit is already.
    assert [each["slotId"] for each in refused["alternatives"]] == [slots[2].pk, slots[4].pk]


@pytest.mark.django_db(transaction=True)
def test_own_slot_that_somebody_works_on_just_now_is_held_and_not_taken_for_good() -> None:
    """The sweeper, or another attempt that ends, has the slot locked: a retry with the same key
    gets in.
    """
    patient, old, visit_type, slots = booked(at=2)
    wanted = {"slot_id": slots[3].pk, "visit_type_id": visit_type.pk, "replaces": str(old.pk)}
    with another_connection() as other:
        other.execute("BEGIN")
        other.execute("SELECT FROM doctors_slot WHERE id = %s FOR UPDATE", [slots[3].pk])
        problem(Api(patient).start(**wanted, key="one"), code="slot-held", status=409)
        other.execute("ROLLBACK")
    assert Api(patient).start(**wanted, key="one").status_code == 201
