"""What every journey must end in, through either door."""

from icalendar import Calendar

from tests.journeys.stack import Live


def assert_booked(live: Live, attempt: str, *, to: str) -> None:
    """One row, its audit trail, and one delivered mail with a valid calendar file."""
    row = live.row("SELECT * FROM bookings_appointment WHERE id = %s", attempt)
    assert row["status"] == "confirmed"
    slots = live.rows("SELECT state FROM doctors_slot WHERE hold_id = %s", attempt)
    assert {slot["state"] for slot in slots} == {"booked"}
    trail = live.rows(
        "SELECT action, request_id FROM audit_auditevent"
        " WHERE object_id = %s AND actor_kind <> 'stranger' ORDER BY id",
        attempt,
    )
    actions = ["hold.created", "hold.code_requested", "appointment.confirmed"]
    assert [event["action"] for event in trail] == actions
    assert all(event["request_id"] for event in trail)
    mail = live.mail(to=to, subject="Confirmed")
    (invitation,) = mail["attachments"]
    assert invitation["contentType"] == "text/calendar"
    (event,) = Calendar.from_ical(invitation["content"]).walk("VEVENT")
    assert event["DTSTART"].dt == row["starts_at"]
    assert event["UID"] == f"{attempt}@docbook"
    assert f"{live.url}/appointments/{attempt}/" in mail["text"]
    assert len([each for each in live.mails(to=to) if "Confirmed" in each["subject"]]) == 1
    waiting = live.row("SELECT count(*) FROM outbox_outboxmessage WHERE dead_at IS NOT NULL")
    assert waiting["count"] == 0
