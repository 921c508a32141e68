"""Nine callers, and one row of everything that a route can name."""

from dataclasses import dataclass, field
from datetime import timedelta
from http.cookies import SimpleCookie
from typing import Any
from uuid import uuid4

from allauth.account.models import EmailAddress
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.contrib.auth.models import Group
from django.test import Client
from django.utils import timezone
from uuid_utils.compat import uuid7

from accounts.models import User
from accounts.tokens import access_token, start_session
from bookings.actors.practice_member import PracticeMember
from bookings.engine.links import offer_token, other_times_token
from bookings.models import BookingPause, Hold, RearrangedVisit, Rearrangement
from bookings.schedule.feeds.services import make_feed
from docbook.audit.models import AuditEvent, AuditSeal
from docbook.outbox.models import OutboxMessage
from doctors.models import Slot, SlotExpansion, VisitType
from tests.bookings.acts import allow_resend, as_patient, attempt, code_of
from tests.bookings.waitlist.acts import release
from tests.factories import (
    PASSWORD,
    make_admin,
    make_appointment,
    make_calendar,
    make_doctor,
    make_hold,
    make_override,
    make_patient,
    make_secretary,
    make_slots,
    make_user,
    make_visit_type,
    make_waitlist_entry,
)

PARTIES = (
    "anonymous",
    "owner",
    "other patient",
    "the doctor",
    "another doctor",
    "their secretary",
    "another's secretary",
    "staff",
    "superuser",
)


@dataclass
class World:
    people: dict[str, User]
    names: dict[str, Any]
    bodies: dict[str, dict[str, Any]]
    objects: dict[str, Any]
    sessions: dict[str, SimpleCookie] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for party, user in self.people.items():
            client = Client()
            client.force_login(user)
            self.sessions[party] = client.cookies

    def browser(self, party: str) -> Client:
        """A new browser each time: the last call's session is gone."""
        client = Client()
        client.cookies.update(self.sessions.get(party, {}))
        return client

    def token(self, party: str) -> dict[str, str]:
        if party == "anonymous":
            return {}
        user = self.people[party]
        token = access_token(user_id=user.pk, email=user.email, now=timezone.now())
        return {"Authorization": f"Bearer {token}"}


def make_world() -> World:
    doctor, other_doctor = make_doctor(user=make_user()), make_doctor(user=make_user())
    owner = make_patient()
    people = {
        "owner": owner,
        "other patient": make_patient(),
        "the doctor": doctor.user,
        "another doctor": other_doctor.user,
        "their secretary": make_secretary(doctor=doctor),
        "another's secretary": make_secretary(doctor=other_doctor),
        "staff": make_user(is_staff=True),
        "superuser": make_admin(),
    }
    visit_type = make_visit_type(doctor=doctor)
    slots = make_slots(doctor=doctor, count=6)
    visit = make_appointment(slots=slots[:1], patient=owner, visit_type=visit_type)
    hold = attempt(
        slots[1], visit_type=visit_type, holder=as_patient(owner), email=owner.email, phone=""
    )
    allow_resend(hold)
    entry = make_waitlist_entry(doctor=doctor, visit_type=visit_type, patient=owner)
    [offer] = release(slots[2])
    free, offered = slots[3], _offered(slots[4:], visit_type=visit_type, by=doctor.user)
    names = {
        "slug": doctor.slug,
        "doctor_id": doctor.pk,
        "appointment_id": visit.pk,
        "booking_id": visit.pk,
        "hold_id": hold.pk,
        "entry_id": entry.pk,
        "offer_id": offer.pk,
        "token": offer_token(offer),
        "rearrangement_id": offered.rearrangement_id,
        "other_times_token": other_times_token(offered),
        "override_id": make_override(doctor=doctor).pk,
        "calendar_id": make_calendar(doctor=doctor).pk,
        "feed_token": make_feed(
            doctor=doctor, by=PracticeMember(doctor.user), with_names=True, now=timezone.now()
        ),
        "day": visit.starts_at.date(),
        "kind": "clinic",
        "uidb36": "1",
        "key": "no-key-of-ours",
        "app_label": "doctors",
        "url": "nothing",
        "choices": "app_label=doctors&model_name=slot&field_name=doctor",
        "clinic_id": doctor.clinic_id,
    }
    bodies = {
        "start": {"slot": free.pk, "visit_type": visit_type.pk},
        "details": {"first_name": "Noor", "last_name": "Bakker"},
        "code": {"code": code_of(hold)},
        "version": {"version": 1},
        "act": {"act": "arrived", "version": 1},
        "api act": {"act": "arrived"},
        "note": {"text": "Bring the X-ray", "version": 0},
        "move": {"slot": free.pk, "version": 1, "reason": "The doctor is ill"},
        "api move": {"slotId": free.pk, "reason": "The doctor is ill"},
        "feed": {"doctor": doctor.pk},
        "decision": {"choice": "cancel", "reason": "The doctor is ill", "visits": [visit.pk]},
        "take": {"hold": Hold.objects.get(guest_key=offered.offer_key).pk},
        "desk": {
            "step": "book",
            "booking": uuid7(),
            "shown_for": f"{visit_type.pk} False None",
            "caller": "new",
            "first_name": "Anna",
            "last_name": "Smit",
            "phone": "+31 6 5550 1235",
            "visit_type": visit_type.pk,
            "slot": f"{free.pk}-{visit_type.pk}",
        },
        "book caller": {
            "slotId": free.pk,
            "visitTypeId": visit_type.pk,
            "firstName": "Anna",
            "lastName": "Smit",
            "phone": "+31 6 5550 1235",
        },
        "callers": {"words": "noor bakker"},
        "api start": {"slotId": free.pk, "visitTypeId": visit_type.pk},
        "wait": {
            "doctorId": doctor.pk,
            "visitTypeId": visit_type.pk,
            "from": str(visit.starts_at.date()),
            "until": str(visit.starts_at.date() + timedelta(days=9)),
        },
        "password": {"email": owner.email, "password": PASSWORD},
        "refresh": {"refresh": start_session(user=owner, now=timezone.now()).refresh},
    }
    return World(people, names, bodies, _objects(visit, hold, entry, owner))


def _offered(slots: list[Slot], *, visit_type: VisitType, by: User) -> RearrangedVisit:
    """A visit in the first slot, for which the second is offered."""
    visit = make_appointment(slots=slots[:1], visit_type=visit_type)
    now = timezone.now()
    decision = Rearrangement.objects.create(
        doctor=visit.doctor, choice="offer", reason="Ill", decided_by=by, decided_at=now
    )
    item = decision.items.create(
        visit_id=visit.pk, version=1, state="done", offered_until=now + timedelta(hours=1)
    )
    make_hold(
        slots=slots[1:],
        visit_type=visit_type,
        guest_key=item.offer_key,
        replaces=visit.pk,
        code_sent_at=now,
        email="somebody@example.test",
    )
    return item


def _objects(visit: Any, hold: Any, entry: Any, owner: User) -> dict[str, Any]:
    """A row of each table that the admin shows, by its app and model."""
    pause, _is_new = BookingPause.objects.get_or_create(pk=1)
    message = OutboxMessage.objects.create(
        topic="appointment.confirmed", aggregate_id=str(visit.pk), next_attempt_at=timezone.now()
    )
    event = AuditEvent.objects.create(
        action="hold.created", actor_kind="system", object_type="hold", object_id=str(hold.pk)
    )
    seal = AuditSeal.objects.order_by("number").last() or AuditSeal.objects.create(
        number=1,
        since=0,
        until=1,
        event_ids=[],
        events_digest="0" * 64,
        previous_digest="0" * 64,
        digest="0" * 64,
        sealed_at=timezone.now(),
    )
    return {
        "accounts/user": owner,
        "auth/group": Group.objects.create(name="Desk"),
        "account/emailaddress": EmailAddress.objects.get(user=owner),
        "mfa/authenticator": RecoveryCodes.activate(make_user()).instance,
        "doctors/specialty": visit.doctor.specialty,
        "doctors/slot": visit.doctor.slots.first(),
        "doctors/slotexpansion": SlotExpansion.objects.create(doctor_ids=[visit.doctor_id]),
        "doctors/clinic": visit.clinic,
        "doctors/doctor": visit.doctor,
        "bookings/appointment": visit,
        "bookings/hold": hold,
        "bookings/waitlistentry": entry,
        "bookings/bookingpause": pause,
        "outbox/outboxmessage": message,
        "audit/auditevent": event,
        "audit/auditseal": seal,
    }


def unknown(names: dict[str, Any]) -> dict[str, Any]:
    """The same names, of objects that do not exist."""
    ids = dict.fromkeys(
        ("appointment_id", "booking_id", "hold_id", "entry_id", "offer_id"), uuid4()
    )
    return (
        names
        | ids
        | {"doctor_id": 10**9, "override_id": 10**9, "rearrangement_id": 10**9}
        | {"calendar_id": 10**9}
        | {"slug": "nobody", "token": "unsigned"}
    )
