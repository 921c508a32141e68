"""How people meet, for templates that show what is held or booked."""

from django import template

from bookings.appointments import presentation
from bookings.appointments.presentation import Meeting

register = template.Library()


@register.filter
def place_line(meeting: Meeting) -> str:
    """Like "Maliebaan 42, Utrecht", or how the two meet if nobody has to go anywhere."""
    return presentation.place_line(meeting)


@register.filter
def rule_of_changes(notice_minutes: int) -> str:
    """Like "Online changes close 24 hours before."."""
    return presentation.rule_of_changes(notice_minutes)


@register.filter
def is_in_person(meeting: Meeting) -> bool:
    return presentation.is_in_person(meeting)
