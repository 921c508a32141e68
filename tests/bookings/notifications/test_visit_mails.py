"""The mails about a visit as a mail server gets them: sent over SMTP and parsed again."""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from email.message import EmailMessage
from urllib.parse import urlsplit

import pytest
from celery import current_app
from django.db import transaction
from django.db.models.functions import Now
from django.test import Client
from icalendar import Calendar, Event

from bookings.appointments.selectors.chains import chain_of
from bookings.models import Appointment, Hold
from bookings.states import AppointmentStatus
from docbook.outbox import topics
from docbook.outbox.models import OutboxMessage
from docbook.outbox.selectors import outbox_status
from docbook.outbox.services import publish
from docbook.references import reference
from doctors.models import Doctor, Slot
from tests.bookings.acts import bookable
from tests.factories import make_appointment, make_patient
from tests.outbox.relay import relay, wake
from tests.smtp import Post, post_office

pytestmark = pytest.mark.django_db

SITE = "https://docbook.example.test"
EMAIL = "saskia.kuipers@example.test"
WHY = "The doctor is ill <today> & sorry"


@pytest.fixture
def post(settings) -> Iterator[Post]:
    settings.SITE_URL = SITE
    settings.DEFAULT_FROM_EMAIL = "DocBook <no-reply@docbook.example.test>"
    with post_office() as post:
        yield post


@dataclass(frozen=True)
class Visit:
    """An appointment, and further times of the same doctor."""

    appointment: Appointment
    slots: list[Slot]

    @property
    def about(self) -> dict[str, object]:
        return {"appointment_id": self.appointment.pk}


def booked(*, email: str = EMAIL, **fields: object) -> Visit:
    visit_type, slots = bookable(count=8)
    patient = make_patient(email=email, first_name="Saskia", last_name="Kuipers")
    fields = {"reason": "A secret worry"} | fields
    made = make_appointment(slots=slots[:1], visit_type=visit_type, patient=patient, **fields)
    return Visit(made, slots)


def change(appointment: Appointment, status: AppointmentStatus, **fields: object) -> None:
    """One step of the state machine, as the services write it."""
    values = {"status": status, "version": appointment.version + 1, "changed_at": Now()}
    rows = Appointment.objects.filter(pk=appointment.pk, starts_at=appointment.starts_at)
    rows.update(**(values | fields))
    appointment.refresh_from_db()


def moved(visit: Visit, *, to: int, by: str = "patient", why: str = "") -> Visit:
    """Another time has replaced this one."""
    old = visit.appointment
    change(old, AppointmentStatus.RESCHEDULED, changed_by_kind=by, change_reason=why)
    new = make_appointment(
        slots=visit.slots[to : to + 1],
        visit_type=old.visit_type,
        patient=old.patient,
        replaces=old.pk,
    )
    Hold.objects.filter(pk=new.pk).update(replaces=old.pk)
    return replace(visit, appointment=new)


def cancelled(visit: Visit, *, by: str = "patient", why: str = "") -> Visit:
    change(visit.appointment, AppointmentStatus.CANCELLED, changed_by_kind=by, change_reason=why)
    return visit


def tell(topic: str, visit: Visit, **ids: object) -> OutboxMessage:
    with transaction.atomic():
        return publish(topic, about=visit.appointment.pk, **visit.about, **ids)


def work(message: OutboxMessage) -> OutboxMessage:
    """A worker receives the newest copy."""
    current_app.loader.import_default_modules()
    message.refresh_from_db()
    receiver = topics.receiver_of(message.topic, name=message.receiver)
    current_app.tasks[receiver.task]([message.pk, message.handed_out])
    message.refresh_from_db()
    return message


def confirmed_message() -> OutboxMessage:
    return tell("appointment.confirmed", booked())


def moved_message() -> OutboxMessage:
    before = booked()
    after = moved(before, to=3)
    return tell("appointment.moved", after, previous_id=before.appointment.pk)


def cancelled_message() -> OutboxMessage:
    return tell("appointment.cancelled", cancelled(booked()))


def called_off_message() -> OutboxMessage:
    return tell("appointment.cancelled", cancelled(booked(), by="secretary", why=WHY))


MESSAGES = {
    "Confirmed": confirmed_message,
    "Moved": moved_message,
    "Cancelled": cancelled_message,
    "Called off": called_off_message,
}
every_mail = pytest.mark.parametrize("make", MESSAGES.values(), ids=MESSAGES)


def body(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body(preferencelist=(kind,))
    assert part is not None
    return part.get_content()


def words(mail: EmailMessage, kind: str) -> str:
    """What a person reads, in one line."""
    text = body(mail, kind)
    if kind == "html":
        text = re.sub(r"<(style|title).*?</\1>|<[^>]+>", " ", text, flags=re.DOTALL)
        text = html.unescape(text)
    return " ".join(text.split())


def calendar_of(mail: EmailMessage) -> tuple[Calendar, Event]:
    (part,) = [part for part in mail.walk() if part.get_content_type() == "text/calendar"]
    calendar = Calendar.from_ical(part.get_content())
    (event,) = calendar.walk("VEVENT")
    assert part.get_filename() == "appointment.ics"
    assert part.get_param("method") == calendar["METHOD"]
    assert part.get_param("charset") == "utf-8"
    return calendar, event


def at(appointment: Appointment) -> str:
    return f"{appointment.starts_at.astimezone(appointment.clinic.zone):%H:%M}"


@every_mail
def test_mail_is_addressed_numbered_and_marked_as_automatic(make, post: Post) -> None:
    message = work(make())
    assert message.done_at is not None
    (mail,) = post.mails
    assert mail["To"] == EMAIL
    assert mail["From"] == "DocBook <no-reply@docbook.example.test>"
    assert re.fullmatch(r"<[a-z_]+-[0-9a-f-]{36}-\d+@docbook>", mail["Message-ID"])
    assert mail["Auto-Submitted"] == "auto-generated"
    assert [part.get_content_type() for part in mail.walk()] == [
        "multipart/mixed", "multipart/alternative", "text/plain", "text/html", "text/calendar",
    ]  # fmt: skip


@every_mail
def test_mail_that_is_asked_for_twice_arrives_once(make, post: Post) -> None:
    message = work(make())
    # As if the worker had died before it could settle the message.
    OutboxMessage.objects.filter(pk=message.pk).update(done_at=None)
    work(message)
    assert len(post.mails) == 1
    status = outbox_status()
    assert (status.delivered, status.duplicates) == (1, 0)


@every_mail
def test_subject_and_preview_name_the_time_and_the_doctor_but_not_the_reason(
    make, post: Post
) -> None:
    message = work(make())
    appointment = Appointment.objects.get(pk=message.payload["appointment_id"])
    (mail,) = post.mails
    (preview,) = re.findall(r"display:none[^>]*>(.*?)</div>", body(mail, "html"), re.DOTALL)
    for line in (mail["Subject"], preview):
        assert at(appointment) in line
        assert "Dr Emma Visser" in line
        for secret in (
            appointment.doctor.specialty.name, "dermatologist", appointment.visit_type.name,
            "secret", "ill", "Saskia",
        ):  # fmt: skip
            assert secret not in line


@every_mail
def test_mail_keeps_the_reason_of_the_visit_to_itself(make, post: Post) -> None:
    work(make())
    assert "secret" not in post.mails[0].as_string()


@every_mail
def test_every_link_is_absolute_and_ours_or_a_map(make, post: Post) -> None:
    work(make())
    (mail,) = post.mails
    links = re.findall(r'(?:href|src)="([^"]+)"', body(mail, "html"))
    links += re.findall(r"https?://\S+", body(mail, "plain"))
    assert any(link.startswith(SITE) for link in links)
    for link in links:
        assert link.startswith((f"{SITE}/", "https://www.openstreetmap.org/", "tel:+")), link


@pytest.mark.parametrize(
    ("make", "maps"),
    [(confirmed_message, 1), (moved_message, 1), (cancelled_message, 0), (called_off_message, 0)],
)
def test_map_is_linked_once_and_only_where_somebody_goes(make, maps: int, post: Post) -> None:
    work(make())
    for kind in ("plain", "html"):
        assert body(post.mails[0], kind).count("https://www.openstreetmap.org/") == maps


@every_mail
def test_subject_with_letters_of_any_language_arrives_as_it_was_written(make, post: Post) -> None:
    message = make()
    Doctor.objects.update(name="Dr Žofie Müller-Łukasiewicz Đorđević")
    work(message)
    (mail,) = post.mails
    assert str(mail["Subject"]).endswith(", Dr Žofie Müller-Łukasiewicz Đorđević")


@every_mail
def test_pages_that_the_links_lead_to_exist(make, post: Post) -> None:
    work(make())
    pages = re.findall(rf'href="{SITE}(/doctors/[^"]+)"', body(post.mails[0], "html"))
    for page in pages:
        path = html.unescape(page).partition("#")[0]
        assert Client().get(path).status_code == 200, page


@every_mail
def test_plain_text_says_all_that_the_html_says(make, post: Post) -> None:
    work(make())
    (mail,) = post.mails
    text = words(mail, "plain")
    for sentence in re.split(r"[.:]\s|\s{2,}", words(mail, "html")):
        for word in re.findall(r"[\w€]{3,}", sentence):
            assert word in text or word == "DocBook", sentence


@every_mail
def test_mail_names_the_time_the_place_the_doctor_and_the_patient(make, post: Post) -> None:
    message = work(make())
    appointment = Appointment.objects.get(pk=message.payload["appointment_id"])
    facts = (
        at(appointment), "Dr Emma Visser, dermatologist", appointment.visit_type.name,
        "in person, 20 minutes, €60", "Saskia Kuipers", "Huid & Haar Kliniek, Maliebaan 42",
        f"Reference {reference(appointment.pk)}", "Call the clinic: +31 30 555 0142",
    )  # fmt: skip
    for kind in ("plain", "html"):
        said = words(post.mails[0], kind)
        for fact in facts:
            assert fact in said


@pytest.mark.parametrize(
    ("notice", "says", "button"),
    [
        (60, "You can move or cancel free of charge until", "Move or cancel"),
        (7 * 24 * 60, "This visit can no longer be changed online.", "See the appointment"),
    ],
)
def test_confirmation_says_until_when_the_visit_can_be_changed(
    post: Post, notice: int, says: str, button: str
) -> None:
    visit = booked()
    doctor = visit.appointment.doctor
    doctor.change_notice_minutes = notice
    doctor.save()
    work(tell("appointment.confirmed", visit))
    for kind in ("plain", "html"):
        assert says in words(post.mails[0], kind)
        assert button in words(post.mails[0], kind)


def test_confirmation_is_a_request_to_the_patient_from_the_clinic(post: Post) -> None:
    visit = booked()
    work(tell("appointment.confirmed", visit))
    calendar, event = calendar_of(post.mails[0])
    assert (calendar["METHOD"], event["STATUS"]) == ("REQUEST", "CONFIRMED")
    assert event["ORGANIZER"] == "mailto:no-reply@docbook.example.test"
    assert event["ORGANIZER"].params["CN"] == "Huid & Haar Kliniek"
    assert event["ATTENDEE"] == f"mailto:{EMAIL}"
    assert event["ATTENDEE"].params["PARTSTAT"] == "ACCEPTED"
    assert event["UID"] == f"{visit.appointment.pk}@docbook"
    assert event["SEQUENCE"] == 0
    assert event["DTSTART"].dt == visit.appointment.starts_at
    assert event["DTEND"].dt == visit.appointment.ends_at


def test_downloaded_file_is_published_to_nobody_in_particular(client) -> None:
    """RFC 5546, 3.2.1: a PUBLISH names no attendee."""
    visit = booked()
    client.force_login(visit.appointment.patient)
    answer = client.get(f"/appointments/{visit.appointment.pk}/calendar.ics")
    calendar = Calendar.from_ical(answer.content)
    (event,) = calendar.walk("VEVENT")
    assert calendar["METHOD"] == "PUBLISH"
    assert "ATTENDEE" not in event
    assert event["UID"] == f"{visit.appointment.pk}@docbook"


def test_moved_mail_strikes_the_old_time_and_shows_the_new(post: Post) -> None:
    before = booked()
    after = moved(before, to=4)
    work(tell("appointment.moved", after, previous_id=before.appointment.pk))
    (mail,) = post.mails
    (struck,) = re.findall(r"<del>(.*?)</del>", body(mail, "html"))
    assert at(before.appointment) in struck
    assert at(after.appointment) not in struck
    old, new = (f" {at(visit.appointment)} – " for visit in (before, after))
    text = words(mail, "plain")
    assert text.index("No longer: ") < text.index(old) < text.index("Now: ") < text.index(new)
    assert mail["Subject"].startswith("Moved: ")
    assert at(after.appointment) in mail["Subject"]


def test_mail_says_why_the_practice_has_moved_the_visit(post: Post) -> None:
    before = booked()
    after = moved(before, to=4, by="secretary", why=WHY)
    work(tell("appointment.moved", after, previous_id=before.appointment.pk))
    (mail,) = post.mails
    name = after.appointment.doctor.name
    for kind in ("html", "plain"):
        assert f"{name} has to move this visit: {WHY}" in words(mail, kind)


def test_mail_of_ones_own_move_gives_no_reason_back(post: Post) -> None:
    before = booked()
    after = moved(before, to=4, why="Mine alone")
    work(tell("appointment.moved", after, previous_id=before.appointment.pk))
    assert "has to move" not in words(post.mails[0], "plain")
    assert "Mine alone" not in words(post.mails[0], "plain")


def test_calendars_move_the_entry_instead_of_doubling_it(post: Post) -> None:
    """Twice moved and then cancelled: one UID, and a SEQUENCE that grows each time."""
    first = booked()
    work(tell("appointment.confirmed", first))
    visit = first
    for to in (3, 6):
        before, visit = visit, moved(visit, to=to)
        work(tell("appointment.moved", visit, previous_id=before.appointment.pk))
    work(tell("appointment.cancelled", cancelled(visit)))
    found = [calendar_of(mail) for mail in post.mails]
    assert [str(calendar["METHOD"]) for calendar, _ in found] == [
        "REQUEST", "REQUEST", "REQUEST", "CANCEL",
    ]  # fmt: skip
    assert {str(event["UID"]) for _, event in found} == {f"{first.appointment.pk}@docbook"}
    sequences = [event["SEQUENCE"] for _, event in found]
    assert sequences == sorted(set(sequences))
    starts = [event["DTSTART"].dt for _, event in found]
    assert starts == [first.slots[n].starts_at for n in (0, 3, 6, 6)]


def test_cancellation_is_one_step_after_the_confirmation(post: Post) -> None:
    visit = booked()
    work(tell("appointment.confirmed", visit))
    work(tell("appointment.cancelled", cancelled(visit)))
    (_, before), (calendar, event) = map(calendar_of, post.mails)
    assert (calendar["METHOD"], event["STATUS"]) == ("CANCEL", "CANCELLED")
    assert event["SEQUENCE"] == before["SEQUENCE"] + 1
    assert event["UID"] == before["UID"]
    assert event["ATTENDEE"] == f"mailto:{EMAIL}"


def test_chain_is_read_in_one_query(django_assert_num_queries) -> None:
    visit = moved(moved(booked(), to=2), to=4)
    with django_assert_num_queries(1):
        chain_of(visit.appointment)


@pytest.mark.parametrize("kind", ["patient", "guest"])
def test_who_has_cancelled_themselves_is_thanked(post: Post, kind: str) -> None:
    work(tell("appointment.cancelled", cancelled(booked(), by=kind)))
    text = words(post.mails[0], "plain")
    assert "You have cancelled this visit." in text
    assert "sorry" not in text


@pytest.mark.parametrize("kind", ["doctor", "secretary", "staff"])
def test_practice_that_cancels_says_why_and_offers_the_next_times(post: Post, kind: str) -> None:
    visit = cancelled(booked(), by=kind, why=WHY)
    work(tell("appointment.cancelled", visit))
    (mail,) = post.mails
    for part in ("plain", "html"):
        said = words(mail, part)
        assert f"Dr Emma Visser has to cancel this visit: {WHY}" in said
        assert "We are sorry." in said
        assert "These times are free now:" in said
    assert "<today>" not in body(mail, "html")
    links = re.findall(rf"{SITE}(/doctors/\S+)", body(mail, "plain"))
    assert len(links) == 3
    assert all(f"visit_type={visit.appointment.visit_type_id}" in link for link in links)
    assert {urlsplit(link).path for link in links} == {f"/doctors/{visit.appointment.doctor.slug}/"}


def test_doctor_who_is_gone_offers_nothing(post: Post) -> None:
    visit = cancelled(booked(), by="staff", why="Dr Visser has left us.")
    doctor = visit.appointment.doctor
    doctor.is_active = False
    doctor.save()
    work(tell("appointment.cancelled", visit))
    assert "/doctors/" not in body(post.mails[0], "html")


def test_visit_that_was_called_off_meanwhile_is_not_confirmed_any_more(post: Post) -> None:
    visit = booked()
    confirmed = tell("appointment.confirmed", visit)
    told = tell("appointment.cancelled", cancelled(visit))
    assert work(confirmed).done_at is not None
    work(told)
    assert [mail["Subject"].partition(":")[0] for mail in post.mails] == ["Cancelled"]


def test_visit_that_was_moved_on_meanwhile_is_told_by_its_last_move(post: Post) -> None:
    first = booked()
    confirmed = tell("appointment.confirmed", first)
    second = moved(first, to=2)
    once = tell("appointment.moved", second, previous_id=first.appointment.pk)
    third = moved(second, to=5)
    twice = tell("appointment.moved", third, previous_id=second.appointment.pk)
    for message in (confirmed, once, twice):
        work(message)
    assert len(post.mails) == 1
    assert at(third.appointment) in post.mails[0]["Subject"]


def hand_out() -> list[OutboxMessage]:
    """One round of the relay, and the work of its workers."""
    return [work(OutboxMessage.objects.get(pk=pk)) for pk in relay()]


def test_cancellation_waits_for_a_confirmation_that_cannot_be_sent_yet(post: Post) -> None:
    visit = booked()
    confirmed = tell("appointment.confirmed", visit)
    post.before_answer = lambda _mail: "451 later"
    assert [each.pk for each in hand_out()] == [confirmed.pk]
    told = tell("appointment.cancelled", cancelled(visit))
    assert hand_out() == []
    post.before_answer = Post().before_answer
    wake(confirmed)
    assert [each.pk for each in hand_out()] == [confirmed.pk]
    assert [each.pk for each in hand_out()] == [told.pk]
    assert [mail["Subject"].partition(":")[0] for mail in post.mails] == ["Cancelled"]


@pytest.mark.parametrize(
    ("status", "error", "event"),
    [
        ("451", "SMTPDataError", "outbox_attempt_failed"),
        ("550 5.1.1", "RefusedForGood", "outbox_message_refused"),
    ],
)
def test_mail_that_is_refused_names_nobody_in_logs_or_outbox(
    post: Post, caplog, capfd, status: str, error: str, event: str
) -> None:
    visit = booked()
    post.before_answer = lambda _mail: f"{status} <{EMAIL}>: Saskia Kuipers is unknown here"
    message = work(tell("appointment.confirmed", visit))
    assert message.is_refused is (error == "RefusedForGood")
    assert message.last_error == error
    written = caplog.text + "".join(capfd.readouterr())
    assert event in written
    for secret in (EMAIL, "Saskia", "Kuipers", "secret worry"):
        assert secret not in written


def test_mail_goes_to_the_address_given_when_booking(post: Post) -> None:
    visit = booked()
    Hold.objects.filter(pk=visit.appointment.pk).update(email="typed@example.test")
    work(tell("appointment.confirmed", visit))
    assert post.recipients == [["typed@example.test"]]
