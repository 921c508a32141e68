"""Whether booking is paused, and which kind of code a hold needs."""

from django.db.models import Q
from django.utils import timezone

from accounts.guesses import are_many
from bookings.engine.selectors import StatementTime
from bookings.models import BookingPause, Hold
from docbook.postgres.kept_query import KeptQuery

_RUNNING = Q(until=None) | Q(until__gt=StatementTime())
_RUNNING_PAUSE = KeptQuery(lambda: BookingPause.objects.filter(_RUNNING, is_on=True))


def running_pause() -> BookingPause | None:
    """The pause that would refuse a hold now, by the database's clock."""
    return _RUNNING_PAUSE.first()


def wants_long_code(hold: Hold) -> bool:
    """Whether strangers may have used up the guesses against a guest's mailbox."""
    if hold.patient_id is not None or hold.guess_target == "":
        return False
    if hold.has_many_guesses is not None:  # read with the hold
        return hold.has_many_guesses
    return are_many(target=hold.guess_target, now=timezone.now())
