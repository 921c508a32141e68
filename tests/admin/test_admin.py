"""The admin: staff can look at everything, and rows that a service owns are read-only."""

import re
from datetime import UTC, date, datetime, time, timedelta

import pytest
from celery import current_app
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from bookings.models import Appointment, BookingPause, Hold, WaitlistEntry
from docbook.audit.models import AuditEvent
from docbook.observability import read_only_admin
from docbook.outbox.models import OutboxMessage
from doctors.models import (
    AvailabilityOverride,
    AvailabilityRule,
    Clinic,
    ClosedDay,
    Doctor,
    Slot,
    SlotExpansion,
    Specialty,
)
from doctors.services import slot_expansions
from tests.factories import (
    make_admin,
    make_appointment,
    make_clinic,
    make_doctor,
    make_hold,
    make_override,
    make_rule,
    make_secretary,
    make_slots,
    make_user,
    make_visit_type,
    make_waitlist_entry,
    tomorrow_at,
)
from tests.pages.browser import words

pytestmark = pytest.mark.django_db

READ_ONLY = [Slot, Appointment, Hold, WaitlistEntry, AuditEvent, OutboxMessage]
EDITABLE = [User, Clinic, Doctor, Specialty]


def url(model, page: str, *arguments) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=arguments)


@pytest.fixture
def door(client):
    client.force_login(make_admin())
    return client


def fill() -> None:
    """One more row of everything, each with its own doctor, clinic, patient and so on."""
    doctor = make_doctor()
    make_rule(doctor=doctor)
    make_secretary(doctor=doctor)
    appointment = make_appointment(slots=make_slots(doctor=doctor))
    make_hold(slots=make_slots(doctor=doctor, starts_at=tomorrow_at(14)))
    make_waitlist_entry(doctor=doctor)
    AuditEvent.objects.create(
        action="appointment.confirmed",
        actor_kind="patient",
        object_type="appointment",
        object_id=str(appointment.pk),
    )
    OutboxMessage.objects.create(
        topic="appointment.confirmed", aggregate_id="1", next_attempt_at=timezone.now()
    )


def test_every_model_of_ours_that_people_ask_about_is_registered():
    assert {*READ_ONLY, *EDITABLE} <= set(admin.site._registry)


@pytest.mark.parametrize("model", [*READ_ONLY, *EDITABLE])
def test_lists_and_rows_can_be_looked_at(door, model):
    fill()
    row = model.objects.first()
    assert door.get(url(model, "changelist")).status_code == 200
    assert door.get(url(model, "changelist"), {"q": "visser"}).status_code == 200
    assert door.get(url(model, "change", row.pk)).status_code == 200


@pytest.mark.parametrize("model", [*READ_ONLY, *EDITABLE])
def test_lists_need_no_more_queries_for_more_rows(door, model):
    def count_queries() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert door.get(url(model, "changelist")).status_code == 200
        return len(queries)

    for _ in range(10):
        fill()
    with_ten = count_queries()
    for _ in range(10):
        fill()
    assert count_queries() == with_ten


def in_sydney() -> tuple[Slot, Appointment, Hold]:
    clinic = make_clinic(city="Sydney", time_zone="Australia/Sydney")
    in_ten_days = datetime.now(clinic.zone) + timedelta(days=10)
    eight = in_ten_days.replace(hour=8, minute=0, second=0, microsecond=0)
    booked, held = make_slots(doctor=make_doctor(clinic=clinic), starts_at=eight, count=2)
    return booked, make_appointment(slots=[booked]), make_hold(slots=[held])


def test_times_at_a_clinic_are_shown_by_its_clock_in_lists_and_details(door):
    slot, visit, hold = in_sydney()
    here, by_utc = slot.starts_at.astimezone(slot.clinic.zone), slot.starts_at.astimezone(UTC)
    start = f"{here.day} {here:%b %Y, %H:%M} Sydney time ({here:%Z})"
    for row, moment in ((slot, start), (visit, start), (hold, start.replace(":00", ":20"))):
        for page in (url(row, "changelist"), url(row, "change", row.pk)):
            shown = words(door.get(page))
            assert moment in shown, page
            assert f"{by_utc.day} {by_utc:%b %Y, %H:%M}" not in shown, page
            assert not re.search(r"[0-9] [ap]\.m\.|noon|midnight", shown), page


@pytest.mark.parametrize("model", [Slot, Appointment, Hold, WaitlistEntry, AuditEvent])
def test_days_in_a_filter_are_named_as_days_of_utc(door, model):
    fill()
    assert re.search(r"By (starts|created)? ?at \(UTC\)", words(door.get(url(model, "changelist"))))


@pytest.mark.parametrize("model", [User, WaitlistEntry, AuditEvent, OutboxMessage, BookingPause])
def test_times_without_a_clinic_are_shown_by_utc_with_its_name(door, model):
    fill()
    BookingPause.objects.all().delete()
    BookingPause.objects.create(is_on=True, until=timezone.now() + timedelta(hours=2))
    row = model.objects.order_by("pk").last()
    for page in (url(model, "changelist"), url(model, "change", row.pk)):
        shown = words(door.get(page))
        if page == url(model, "changelist"):
            assert re.search(r"[0-9]+ [A-Z][a-z]+ 20[0-9]{2}, [0-9]{2}:[0-9]{2} UTC", shown), page
        assert not re.search(r"[0-9] [ap]\.m\.|noon|midnight", shown), page


def test_the_end_of_a_pause_is_typed_by_utc_and_the_page_says_so(door):
    assert "In UTC, 24 hours: 14:30." in words(door.get(url(BookingPause, "add")))


def test_the_columns_of_times_still_sort(door):
    in_sydney()
    for model in (Slot, Appointment, Hold):
        assert door.get(url(model, "changelist"), {"o": "-1"}).status_code == 200


@pytest.mark.parametrize("model", READ_ONLY)
def test_what_a_service_owns_is_neither_added_nor_changed_nor_deleted(door, model):
    fill()
    row = model.objects.first()
    before = model.objects.values().get(pk=row.pk)
    answers = [
        door.get(url(model, "add")),
        door.post(url(model, "add"), {}),
        door.post(url(model, "change", row.pk), {"state": "open"}),
        door.get(url(model, "delete", row.pk)),
        door.post(url(model, "delete", row.pk), {"post": "yes"}),
    ]
    assert [answer.status_code for answer in answers] == [403] * 5
    assert model.objects.values().get(pk=row.pk) == before
    actions = {"action": "delete_selected", "_selected_action": [row.pk]}
    door.post(url(model, "changelist"), actions)
    assert model.objects.filter(pk=row.pk).exists()


@pytest.mark.parametrize("model", [*READ_ONLY, *EDITABLE])
def test_nobody_but_staff_comes_in(client, model):
    assert client.get(url(model, "changelist")).status_code == 302
    client.force_login(make_user())
    assert client.get(url(model, "changelist")).status_code in (302, 403)


def test_the_door_carries_the_name(door):
    assert "DocBook" in door.get(reverse("admin:index")).content.decode()


def test_large_tables_are_counted_to_a_limit_only(door, monkeypatch):
    monkeypatch.setattr(read_only_admin, "MOST_ROWS", 5)
    make_slots(doctor=make_doctor(name="Dr Ada Lot"), count=9)
    answer = door.get(url(Slot, "changelist"))
    assert answer.context["cl"].result_count == 5
    assert "5 or more" in words(answer)
    found = door.get(url(Slot, "changelist"), {"q": "Lot"})
    assert "5 results or more" in words(found)


def test_a_pasted_id_finds_the_row_and_all_that_belongs_to_it(door):
    fill()
    fill()
    appointment = Appointment.objects.first()
    for model, found in {Appointment: 1, Hold: 1, Slot: 1, AuditEvent: 1}.items():
        answer = door.get(url(model, "changelist"), {"q": str(appointment.pk)})
        assert answer.context["cl"].result_count == found


def test_what_a_visit_is_about_is_not_shown(door):
    appointment = make_appointment(slots=make_slots(doctor=make_doctor()), reason="A rash")
    Hold.objects.update(reason="A rash")
    for model in (Appointment, Hold):
        page = door.get(url(model, "change", appointment.pk))
        assert "A rash" not in page.content.decode()


def test_outbox_messages_are_told_apart_by_their_stage(door):
    now = timezone.now()
    for fields in ({}, {"done_at": now}, {"dead_at": now}):
        OutboxMessage.objects.create(topic="t", aggregate_id="1", next_attempt_at=now, **fields)
    for stage in ("waiting", "done", "dead"):
        answer = door.get(url(OutboxMessage, "changelist"), {"stage": stage})
        assert answer.context["cl"].result_count == 1


# -- users


def test_a_user_is_made_with_an_address_and_can_sign_in(door):
    form = {
        "email": "New@Example.test",
        "first_name": "Noor",
        "usable_password": "true",
        "password1": "a-long-enough-one",
        "password2": "a-long-enough-one",
    }
    assert door.post(url(User, "add"), form).status_code == 302
    user = User.objects.get(email="new@example.test")
    assert user.check_password("a-long-enough-one")


def test_a_second_user_of_an_address_gets_a_message_at_the_form(door):
    make_user(email="alba@example.test")
    form = {
        "email": "ALBA@example.test",
        "usable_password": "true",
        "password1": "a-long-enough-one",
        "password2": "a-long-enough-one",
    }
    answer = door.post(url(User, "add"), form)
    assert answer.status_code == 200
    assert "There is an account with this e-mail address already." in answer.content.decode()


def test_the_address_of_an_account_is_not_changed_by_staff(door):
    user = make_user(email="alba@example.test")
    form = {"email": "other@example.test", "first_name": "Alba", "is_active": "on"}
    assert door.post(url(User, "change", user.pk), form).status_code == 302
    user.refresh_from_db()
    assert (user.email, user.first_name) == ("alba@example.test", "Alba")


# -- doctors and their hours


def doctor_form(doctor, *rules: dict, **fields) -> dict:
    form = {
        "name": doctor.name,
        "slug": doctor.slug,
        "specialty": doctor.specialty_id,
        "clinic": doctor.clinic_id,
        "languages": "nl,en",
        "slot_minutes": 30,
        "min_notice_minutes": 60,
        "horizon_days": 7,
        "change_notice_minutes": 1440,
        "is_active": "on",
    } | fields
    for prefix in ("visit_types", "overrides", "secretaries"):
        form |= {f"{prefix}-TOTAL_FORMS": 0, f"{prefix}-INITIAL_FORMS": 0}
    form |= {"rules-TOTAL_FORMS": len(rules), "rules-INITIAL_FORMS": 0}
    for number, rule in enumerate(rules):
        form |= {f"rules-{number}-{name}": value for name, value in (hours() | rule).items()}
        form[f"rules-{number}-clinic"] = doctor.clinic_id
    return form


def clinic_form(clinic, *closed: dict, **changes) -> dict:
    names = ("name", "street", "postcode", "city", "country", "time_zone", "phone", "directions")
    form = {name: getattr(clinic, name) for name in names} | changes
    return form | rows("closed_days", closed)


def rows(prefix: str, given) -> dict:
    """New rows of an inline."""
    form = {f"{prefix}-TOTAL_FORMS": len(given), f"{prefix}-INITIAL_FORMS": 0}
    for number, row in enumerate(given):
        form |= {f"{prefix}-{number}-{name}": value for name, value in row.items()}
    return form


def time_off(**fields) -> dict:
    tomorrow = str(tomorrow_at().date())
    return {
        "kind": "off",
        "first_day": tomorrow,
        "last_day": tomorrow,
        "starts": "00:00",
        "ends": "24:00",
        "mode": "any",
    } | fields


def hours(**fields) -> dict:
    return {
        "weekdays": [0, 1, 2, 3, 4, 5, 6],
        "starts": "09:00",
        "ends": "12:00",
        "every_weeks": "1",
        "mode": "any",
        "valid_from": "2026-01-01",
    } | fields


def errors_of_hours(answer) -> list[dict]:
    [formset] = [
        inline.formset
        for inline in answer.context["inline_admin_formsets"]
        if inline.formset.prefix == "rules"
    ]
    return [dict(errors) for errors in formset.errors]


def carry_it_out() -> SlotExpansion:
    """What the worker does with the published message."""
    current_app.loader.import_default_modules()
    message = OutboxMessage.objects.get(topic="hours.changed", done_at=None)
    current_app.tasks["doctors.carry_out_expansion"](message.pk, message.handed_out)
    return SlotExpansion.objects.get()


@pytest.mark.django_db(transaction=True)
def test_saving_hours_has_the_times_made_and_leads_to_the_progress(door):
    doctor = make_doctor()
    form = doctor_form(doctor, hours(), hours(starts="13:00", ends="15:00"))
    answer = door.post(url(Doctor, "change", doctor.pk), form, follow=True)
    assert "The bookable times of 1 doctor will be updated in a moment." in answer.content.decode()
    slots = Slot.objects.filter(doctor=doctor)
    assert not slots.exists()
    asked = carry_it_out()
    assert slots.exists()
    assert slots.filter(starts_at__lt=timezone.now()).count() == 0
    assert (asked.done, asked.added, asked.removed) == (1, slots.count(), 0)
    progress = url(SlotExpansion, "change", asked.pk)
    assert progress in answer.content.decode()
    assert "1 of 1" in door.get(progress).content.decode()


@pytest.mark.django_db(transaction=True)
def test_change_of_hours_goes_on_where_a_worker_has_died(monkeypatch):
    doctors = [make_doctor(horizon_days=2) for _ in range(3)]
    for doctor in doctors:
        make_rule(doctor=doctor, starts=time(0), ends=time(0))
    monkeypatch.setattr(slot_expansions, "DOCTORS_A_CHUNK", 1)
    asked = slot_expansions.ask_for_expansion(
        doctor_ids=[doctor.pk for doctor in doctors], by=make_admin()
    )
    assert slot_expansions._next_chunk(asked.pk, now=timezone.now())
    made = Slot.objects.count()
    asked = carry_it_out()
    assert asked.done == 3
    assert asked.finished_at is not None
    assert asked.added == Slot.objects.count() > made
    slot_expansions.carry_out(expansion_id=asked.pk, now=timezone.now())
    asked.refresh_from_db()
    assert asked.done == 3


@pytest.mark.django_db(transaction=True)
def test_suspending_a_doctor_takes_the_free_times_away(door):
    doctor = make_doctor()
    make_slots(doctor=doctor, count=3)
    wanted = {"wanted": "suspend"}
    assert door.post(url(Doctor, "booking", doctor.pk), wanted).status_code == 302
    carry_it_out()
    assert not Slot.objects.filter(doctor=doctor).exists()


@pytest.mark.django_db(transaction=True)
def test_a_clinic_in_another_zone_has_other_times(door):
    doctor = make_doctor(horizon_days=3)
    make_rule(doctor=doctor, starts=time(23, 20), ends=time(23, 40))
    clinic = doctor.clinic
    form = clinic_form(clinic, time_zone="Asia/Kolkata")
    answer = door.post(url(Clinic, "change", clinic.pk), form, follow=True)
    assert "The bookable times of 1 doctor" in answer.content.decode()
    carry_it_out()
    starts = {slot.starts_at.time() for slot in Slot.objects.filter(doctor=doctor)}
    assert starts == {time(17, 50)}


@pytest.mark.django_db(transaction=True)
def test_a_day_off_takes_its_free_times_away(door):
    doctor = make_doctor(horizon_days=3)
    form = doctor_form(doctor, hours()) | rows("overrides", [time_off(reason="Congress")])
    assert door.post(url(Doctor, "change", doctor.pk), form).status_code == 302
    carry_it_out()
    tomorrow = tomorrow_at().date()
    days = {slot.starts_at.date() for slot in Slot.objects.filter(doctor=doctor)}
    assert days
    assert tomorrow not in days
    off = AvailabilityOverride.objects.get(doctor=doctor)
    assert (off.reason, off.starts, off.ends) == ("Congress", time(0), time(0))


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"last_day": "2026-01-01"}, "last_day"),
        ({"first_day": "2026-01-01", "last_day": "2027-01-03"}, "last_day"),
        ({"starts": "12:00", "ends": "11:59"}, "ends"),
        ({"starts": "12:00", "ends": "25:00"}, "ends"),
        ({"kind": "extra"}, "clinic"),
        ({"first_day": "31 February"}, "first_day"),
    ],
)
def test_what_is_wrong_with_time_off_is_said_at_its_field_and_nothing_is_kept(door, wrong, field):
    doctor = make_doctor()
    form = doctor_form(doctor, hours()) | rows("overrides", [time_off(**wrong)])
    answer = door.post(url(Doctor, "change", doctor.pk), form)
    [formset] = [
        inline.formset
        for inline in answer.context["inline_admin_formsets"]
        if inline.formset.prefix == "overrides"
    ]
    assert [list(errors) for errors in formset.errors] == [[field]]
    assert not AvailabilityOverride.objects.exists()
    assert not AvailabilityRule.objects.exists()


def test_time_off_that_is_over_does_not_fill_the_page(door):
    doctor = make_doctor()
    make_override(doctor=doctor, first_day=date(2025, 5, 1), reason="Long ago")
    make_override(doctor=doctor, reason="Soon")
    page = door.get(url(Doctor, "change", doctor.pk)).content.decode()
    assert "Soon" in page
    assert "Long ago" not in page


@pytest.mark.django_db(transaction=True)
def test_closed_day_of_a_clinic_takes_the_free_times_of_its_doctors_away(door):
    doctor = make_doctor(horizon_days=3)
    make_rule(doctor=doctor)
    tomorrow = tomorrow_at().date()
    form = clinic_form(doctor.clinic, {"day": str(tomorrow), "name": "King's Day"})
    answer = door.post(url(Clinic, "change", doctor.clinic_id), form, follow=True)
    assert "The bookable times of 1 doctor" in answer.content.decode()
    carry_it_out()
    days = {slot.starts_at.date() for slot in Slot.objects.filter(doctor=doctor)}
    assert days
    assert tomorrow not in days


def test_clinic_whose_name_changes_needs_no_new_times(door):
    doctor = make_doctor()
    make_rule(doctor=doctor)
    form = clinic_form(doctor.clinic, name="Kliniek Noord")
    assert door.post(url(Clinic, "change", doctor.clinic_id), form).status_code == 302
    assert not SlotExpansion.objects.exists()


def holidays_page(clinic) -> str:
    return url(Clinic, "public_holidays", clinic.pk)


@pytest.mark.django_db(transaction=True)
def test_public_holidays_are_offered_and_the_chosen_ones_close_the_clinic(door):
    doctor = make_doctor(horizon_days=365)
    make_rule(doctor=doctor)
    page = holidays_page(doctor.clinic)
    assert page in door.get(url(Clinic, "change", doctor.clinic_id)).content.decode()
    offered = door.get(page).context["offered"]
    names = {each.name for each in offered}
    assert {"Christmas Day", "New Year's Day", "King's Day"} <= names
    assert all(each.day >= timezone.now().date() - timedelta(days=1) for each in offered)
    chosen = [each for each in offered if each.name == "Christmas Day"]
    answer = door.post(page, {"day": [str(each.day) for each in chosen]}, follow=True)
    assert "1 closed day was added." in words(answer)
    assert list(ClosedDay.objects.values_list("clinic", "day", "name")) == [
        (doctor.clinic_id, chosen[0].day, "Christmas Day")
    ]
    carry_it_out()
    days = set(Slot.objects.values_list("starts_at__date", flat=True))
    assert days
    assert chosen[0].day not in days
    assert "Christmas Day" not in {each.name for each in door.get(page).context["offered"]}


@pytest.mark.parametrize("days", [[], ["nonsense"], ["2020-12-25"]])
def test_public_holidays_that_were_not_offered_are_not_added(door, days):
    clinic = make_clinic()
    answer = door.post(holidays_page(clinic), {"day": days}, follow=True)
    assert "No day was chosen." in words(answer)
    assert not ClosedDay.objects.exists()


def test_country_without_known_holidays_says_so(door):
    page = holidays_page(make_clinic(country="XX"))
    assert "No public holiday of this country is left to add" in words(door.get(page))


NOT_AN_END = "Write the time like 08:30, or 24:00 for the end of the day."


def test_hours_are_shown_without_seconds_and_new_ones_begin_today_by_the_clock_of_the_clinic(door):
    clinic = make_clinic(time_zone="Pacific/Kiritimati")
    doctor = make_doctor(clinic=clinic)
    make_rule(doctor=doctor, starts=time(8, 30), ends=time(12))
    page = door.get(url(Doctor, "change", doctor.pk)).content.decode()
    today = timezone.now().astimezone(clinic.zone).date()
    new = re.search(r'<input[^>]*name="rules-__prefix__-valid_from"[^>]*>', page)
    assert new
    assert f'value="{today:%d/%m/%Y}"' in new[0]
    kept = re.search(r'<input[^>]*name="rules-0-valid_from"[^>]*>', page)
    assert kept
    assert 'value="01/01/2020"' in kept[0]
    assert 'value="08:30"' in page
    assert "08:30:00" not in page


def test_row_of_hours_in_which_nothing_was_typed_is_no_row(door):
    doctor = make_doctor()
    today = timezone.now().astimezone(doctor.clinic.zone).date()
    empty = hours(weekdays=[], starts="", ends="", valid_from=str(today))
    form = doctor_form(doctor, hours(), empty)
    form["rules-1-clinic"] = ""
    assert door.post(url(Doctor, "change", doctor.pk), form).status_code == 302
    assert AvailabilityRule.objects.count() == 1


@pytest.mark.parametrize(
    ("rules", "errors"),
    [
        (
            [hours(starts="12:00", ends="09:00")],
            [{"ends": ["The end must be later than the start."]}],
        ),
        (
            [hours(valid_until="2025-12-31")],
            [{"valid_until": ["The last day must not be before the first."]}],
        ),
        (
            [hours(), hours(weekdays=[4], starts="11:30", ends="14:00")],
            [{}, {"starts": ["These hours overlap other hours of this doctor."]}],
        ),
        ([hours(weekdays=[])], [{"weekdays": ["This field is required."]}]),
        (
            [hours(weekdays=[9])],
            [{"weekdays": ["9 is not one of the choices."]}],
        ),
        ([hours(starts="25:00")], [{"starts": ["Write the time like 08:30."]}]),
        ([hours(starts="24:00", ends="24:00")], [{"starts": ["Write the time like 08:30."]}]),
        ([hours(ends="24:01")], [{"ends": [NOT_AN_END]}]),
        ([hours(starts="09:00:41")], [{"starts": ["Write whole minutes, like 09:30."]}]),
        ([hours(ends="12:00:41")], [{"ends": ["Write whole minutes, like 09:30."]}]),
        ([hours(valid_from="9999-12-31")], [{"valid_from": ["This day is too far away."]}]),
        (
            [hours(starts="22:00", ends="24:00"), hours(starts="23:00", ends="23:30")],
            [{}, {"starts": ["These hours overlap other hours of this doctor."]}],
        ),
    ],
)
def test_wrong_hours_get_a_message_at_their_field(door, rules, errors):
    doctor = make_doctor()
    answer = door.post(url(Doctor, "change", doctor.pk), doctor_form(doctor, *rules))
    assert answer.status_code == 200
    assert errors_of_hours(answer) == errors
    assert not AvailabilityRule.objects.exists()


@pytest.mark.parametrize("end", ["24:00", "24:00:00", "00:00"])
def test_hours_to_the_end_of_the_day_are_kept_and_shown_as_24_00(door, end):
    doctor = make_doctor()
    page = url(Doctor, "change", doctor.pk)
    form = doctor_form(doctor, hours(starts="22:00", ends=end))
    assert door.post(page, form).status_code == 302
    assert AvailabilityRule.objects.get().ends == time(0)
    assert 'value="24:00"' in door.get(page).content.decode()


def test_seconds_that_a_browser_sends_along_are_no_fault(door):
    doctor = make_doctor()
    form = doctor_form(doctor, hours(starts="16:23:00", ends="18:00:00"))
    assert door.post(url(Doctor, "change", doctor.pk), form).status_code == 302
    assert AvailabilityRule.objects.get().starts == time(16, 23)


def test_hours_that_meet_in_two_zones_are_refused_at_their_field(door):
    doctor = make_doctor()
    berlin = make_clinic(city="Berlin", time_zone="Europe/Berlin")
    page = url(Doctor, "change", doctor.pk)
    form = doctor_form(doctor, hours(ends="11:00"), hours(ends="11:00"))
    form["rules-1-clinic"] = berlin.pk
    answer = door.post(page, form)
    overlaps = {"starts": ["These hours overlap other hours of this doctor."]}
    assert errors_of_hours(answer) == [{}, overlaps]
    form["rules-1-starts"], form["rules-1-ends"] = "11:00", "12:00"
    assert door.post(page, form).status_code == 302


def test_each_of_several_overlapping_hours_gets_its_message(door):
    doctor = make_doctor()
    form = doctor_form(
        doctor,
        hours(starts="08:00", ends="12:20"),
        hours(starts="13:15", ends="16:55"),
        hours(weekdays=[0], starts="09:30", ends="10:00"),
        hours(weekdays=[0], starts="09:00", ends="14:00"),
    )
    answer = door.post(url(Doctor, "change", doctor.pk), form)
    overlaps = {"starts": ["These hours overlap other hours of this doctor."]}
    assert errors_of_hours(answer) == [{}, {}, overlaps, overlaps]
    assert not AvailabilityRule.objects.exists()


@pytest.mark.parametrize("right", ["change_availabilityrule", "delete_availabilityrule"])
def test_overlap_is_told_to_staff_who_lack_a_right(client, right):
    doctor = make_doctor()
    rule = make_rule(doctor=doctor)
    staff = make_user(is_staff=True)
    staff.user_permissions.set(Permission.objects.exclude(codename=right))
    client.force_login(staff)
    rules = (hours(id=rule.pk, starts="09:00", ends="12:00"), hours(starts="10:00", ends="11:00"))
    form = doctor_form(doctor, *rules, hours(starts="12:00", ends="13:00"))
    form["rules-INITIAL_FORMS"] = 1
    answer = client.post(url(Doctor, "change", doctor.pk), form)
    overlaps = {"starts": ["These hours overlap other hours of this doctor."]}
    assert errors_of_hours(answer) == [{}, overlaps, {}]
    assert AvailabilityRule.objects.get() == rule


def test_zone_of_a_clinic_that_lets_hours_of_a_doctor_overlap_is_refused_at_its_field(door):
    """Nine to ten in Utrecht, and nine to eleven in London, which is an hour later."""
    utrecht = make_clinic()
    london = make_clinic(name="London Skin", city="London", time_zone="Europe/London")
    doctor = make_doctor(clinic=utrecht)
    make_rule(doctor=doctor, clinic=utrecht, starts=time(9), ends=time(10))
    make_rule(doctor=doctor, clinic=london, starts=time(9), ends=time(11))
    make_rule(doctor=make_doctor(clinic=london), starts=time(8), ends=time(20))
    form = clinic_form(london)
    page = url(Clinic, "change", london.pk)
    answer = door.post(page, form | {"time_zone": "Europe/Berlin"})
    said = "In this zone, the hours of Dr Emma Visser overlap those at another clinic."
    assert answer.context["adminform"].form.errors == {"time_zone": [said]}
    london.refresh_from_db()
    assert london.time_zone == "Europe/London"
    assert door.post(page, form | {"time_zone": "Asia/Kolkata"}).status_code == 302
    nowhere = door.post(page, form | {"time_zone": "Europe/Utrecht"})
    assert list(nowhere.context["adminform"].form.errors) == ["time_zone"]


def test_hours_that_touch_or_fall_on_other_days_are_fine(door):
    doctor = make_doctor()
    form = doctor_form(
        doctor,
        hours(weekdays=[0, 1]),
        hours(weekdays=[0, 1], starts="12:00", ends="13:00"),
        hours(weekdays=[2], starts="08:00", ends="18:00"),
    )
    assert door.post(url(Doctor, "change", doctor.pk), form).status_code == 302
    assert AvailabilityRule.objects.count() == 3


def test_hours_that_are_removed_are_in_nobodys_way(door):
    doctor = make_doctor()
    rule = make_rule(doctor=doctor)
    form = doctor_form(doctor, hours(id=rule.pk, DELETE="on"), hours(starts="10:00"))
    form["rules-INITIAL_FORMS"] = 1
    assert door.post(url(Doctor, "change", doctor.pk), form).status_code == 302
    assert AvailabilityRule.objects.get().starts == time(10)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"slot_minutes": 3}, "A slot takes 5 to 240 minutes."),
        ({"horizon_days": 400}, "Times can be made for 1 to 365 days ahead."),
    ],
)
def test_a_wrong_number_of_a_doctor_gets_a_sentence(door, fields, message):
    doctor = make_doctor()
    answer = door.post(url(Doctor, "change", doctor.pk), doctor_form(doctor, **fields))
    assert answer.status_code == 200
    assert message in answer.content.decode()


def test_a_doctor_is_switched_off_and_never_deleted(door):
    doctor = make_doctor()
    assert door.post(url(Doctor, "delete", doctor.pk), {"post": "yes"}).status_code == 403


def test_a_clinic_in_use_is_not_deleted_and_one_that_is_not_may_be(door):
    doctor, unused = make_doctor(), make_clinic()
    in_use = door.post(url(Clinic, "delete", doctor.clinic_id), {"post": "yes"})
    assert in_use.status_code == 403
    assert door.post(url(Clinic, "delete", unused.pk), {"post": "yes"}).status_code == 302
    assert list(Clinic.objects.all()) == [doctor.clinic]


def test_a_zone_that_does_not_exist_gets_a_message(door):
    answer = door.post(url(Clinic, "add"), {"time_zone": "Europe/Utrecht"})
    assert "This is not an IANA time zone" in answer.content.decode()


def test_a_visit_type_in_use_is_switched_off_and_not_removed(door):
    doctor = make_doctor()
    visit_type = make_visit_type(doctor=doctor)
    page = door.get(url(Doctor, "change", doctor.pk)).content.decode()
    assert "visit_types-0-is_active" in page
    assert "visit_types-0-DELETE" not in page
    assert visit_type.is_active


def test_changes_by_staff_are_in_the_admins_own_history(door):
    doctor = make_doctor()
    door.post(url(Doctor, "change", doctor.pk), doctor_form(doctor, name="Dr E. Visser"))
    assert LogEntry.objects.filter(object_id=str(doctor.pk)).exists()


def test_autocomplete_finds_people_and_clinics(door):
    make_clinic(name="Kliniek Zuid")
    parameters = {"app_label": "doctors", "model_name": "doctor", "field_name": "clinic"}
    answer = door.get(reverse("admin:autocomplete"), parameters | {"term": "zuid"})
    assert [found["text"] for found in answer.json()["results"]] == ["Kliniek Zuid, Utrecht"]


def test_slots_of_the_past_month_are_found_by_date(door):
    make_slots(doctor=make_doctor(), starts_at=timezone.now() - timedelta(days=3))
    answer = door.get(
        url(Slot, "changelist"), {"starts_at__gte": str(timezone.now() - timedelta(days=7))}
    )
    assert answer.context["cl"].result_count == 1
