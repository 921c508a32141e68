"""The refusals of a booking. Codes are part of the API; see docbook.errors."""

from datetime import datetime
from math import ceil
from typing import Any
from uuid import UUID

from docbook.errors import DomainError, FieldError, RateLimited
from doctors.rules import VisitTime

# How soon to look again if nobody said how long booking is paused.
PAUSE_RETRY_SECONDS = 300


_YOURS = "You are holding this time already: go on with that attempt."
_YOURS_IN_PART = "You are holding this time, or one that overlaps it: give it back first."


class _TimeGone(DomainError):
    """Carries the next free times of the same doctor, so people have somewhere to go."""

    def __init__(
        self,
        *,
        alternatives: list[VisitTime],
        starts_at: datetime,
        message: str = "",
        **extra: Any,
    ) -> None:
        super().__init__(message, **extra)
        self.alternatives = alternatives
        self.starts_at = starts_at


class SlotTaken(_TimeGone):
    """Somebody has booked it, or it is no longer offered."""

    code = "slot-taken"


class SlotHeld(_TimeGone):
    """Somebody is confirming it; it may come back within five minutes. If the caller asked for the
    same time before and the answer was lost, they continue with `attempt_id`. `overlaps_own` is a
    time of their own that overlaps this one.
    """

    code = "slot-held"

    def __init__(
        self,
        *,
        alternatives: list[VisitTime],
        starts_at: datetime,
        attempt_id: UUID | None = None,
        overlaps_own: bool = False,
    ) -> None:
        own = {"attemptId": str(attempt_id)} if attempt_id else {}
        message = _YOURS if attempt_id else _YOURS_IN_PART if overlaps_own else ""
        super().__init__(alternatives=alternatives, starts_at=starts_at, message=message, **own)
        self.attempt_id = attempt_id


class NumberNeeded(FieldError):
    """A visit by phone, and no number to call."""

    def __init__(self) -> None:
        super().__init__("phone", "The doctor calls: give a phone number.", field_code="required")


class OutsideBookingWindow(DomainError):
    """In the past, closer than the doctor's minimum notice, or beyond their horizon."""

    code = "outside-booking-window"


class HoldLimit(DomainError):
    """Too many live holds: one's own or, with `until`, those of one network, whose next hold ends
    then.
    """

    code = "hold-limit"

    def __init__(self, *, limit: int, until: datetime | None = None) -> None:
        super().__init__(limit=limit, **({"retryAt": until.isoformat()} if until else {}))
        self.limit = limit
        self.until = until


class WaitlistLimit(DomainError):
    """One patient cannot have more live entries on the waitlist."""

    code = "waitlist-limit"

    def __init__(self, *, limit: int) -> None:
        super().__init__(limit=limit)
        self.limit = limit


class AppointmentLimit(DomainError):
    """Too many upcoming visits and times held for more."""

    code = "appointment-limit"

    def __init__(self, *, limit: int) -> None:
        super().__init__(limit=limit)
        self.limit = limit


class BookingDisabled(DomainError):
    """New bookings are paused: until when, if known, and why, in the staff's words."""

    code = "booking-disabled"

    def __init__(self, *, until: datetime | None, message: str, now: datetime) -> None:
        super().__init__(message)
        self.until = until
        wait = ceil((until - now).total_seconds()) if until else PAUSE_RETRY_SECONDS
        self.retry_after = max(1, wait)


class HoldExpired(DomainError):
    """The five minutes are over, or the time was given back."""

    code = "hold-expired"


class AlreadyConfirmed(HoldExpired):
    """There is nothing left to give back: it has become an appointment."""

    code = "already-confirmed"


class PatientBusy(DomainError):
    """The patient has another visit at that time: `appointment`, if it could be looked up."""

    code = "patient-busy"

    def __init__(self, appointment: Any = None) -> None:
        super().__init__()
        self.appointment = appointment


class OtpInvalid(DomainError):
    """Not the code that was sent; `attempts_left` tries remain."""

    code = "otp-invalid"

    def __init__(self, *, attempts_left: int) -> None:
        super().__init__(attemptsLeft=attempts_left)
        self.attempts_left = attempts_left


class OtpLocked(DomainError):
    """All tries are used up; the time was given back."""

    code = "otp-locked"
    # The time is free again: the next person may hold it and get a new code.
    retry_after = 1


class TooManyGuesses(RateLimited):
    """Too many wrong codes today, for this mailbox or by this patient: no code of six digits is
    checked any more. The time stays theirs, and a guest gets a longer code.
    """


class DetailsMissing(DomainError):
    """A code was entered before anybody asked for one."""

    code = "details-missing"


class NotChangeable(DomainError):
    """A visit in this status cannot change to the requested one."""

    code = "not-changeable"

    def __init__(self, *, status: str) -> None:
        super().__init__(bookingStatus=status)
        self.status = status


class ChangeWindowPassed(DomainError):
    """Too close to the visit for its patient to change it; the clinic still can."""

    code = "change-window-passed"

    def __init__(self, *, notice_minutes: int, phone: str) -> None:
        super().__init__(noticeMinutes=notice_minutes, clinicPhone=phone)
        self.notice_minutes = notice_minutes
        self.phone = phone
