"""What Celery runs for schedules; beat knows the tasks by name."""

from celery import shared_task
from django.utils import timezone

from doctors.services.expansion import expand_slots, purge_old_slots


@shared_task(name="doctors.expand_slots")
def expand_all_slots() -> None:
    """Keeps every doctor's horizon filled, and the table free of what is long past."""
    now = timezone.now()
    expand_slots(doctor_ids=None, now=now)
    purge_old_slots(now=now)
