"""Pages of bookings."""

from django.urls import path

from bookings.actors import views as landing
from bookings.appointments.views import appointments, changes
from bookings.holding.views import booking
from bookings.rearranging.views import decisions
from bookings.rearranging.views import other_times as instead
from bookings.schedule.feeds import views as feeds
from bookings.schedule.numbers import views as numbers
from bookings.schedule.views import (
    booking_rules,
    calendar,
    calendars,
    desk,
    live,
    moving,
    time_off,
    visits,
    weekly_hours,
)
from bookings.waitlist import views as offered_time

app_name = "bookings"
urlpatterns = [
    path("book/", booking.start, name="start"),
    path("book/<uuid:hold_id>/", booking.details, name="details"),
    path("book/<uuid:hold_id>/code/", booking.code, name="code"),
    path("book/<uuid:hold_id>/resend/", booking.resend, name="resend"),
    path("book/<uuid:hold_id>/release/", booking.release, name="release"),
    path("appointments/", appointments.appointments, name="appointments"),
    path("appointments/<uuid:appointment_id>/", appointments.appointment, name="appointment"),
    path("appointments/<uuid:appointment_id>/cancel/", changes.cancel, name="cancel"),
    path("appointments/<uuid:appointment_id>/reschedule/", changes.reschedule, name="reschedule"),
    path(
        "appointments/<uuid:appointment_id>/calendar.ics",
        appointments.calendar_file,
        name="calendar_file",
    ),
    path("appointments/other-times/<str:token>/", instead.other_times, name="other_times"),
    path("appointments/other-times/<str:token>/take/", instead.take, name="take_other_time"),
    path("waitlist/offers/<str:token>/", offered_time.offer, name="offer"),
    path("waitlist/offers/<str:token>/accept/", offered_time.accept, name="accept_offer"),
    path("waitlist/offers/<str:token>/decline/", offered_time.decline, name="decline_offer"),
    path("schedule/", calendar.schedule, name="schedule"),
    path("schedule/keys/", calendar.keys, name="schedule_keys"),
    path("schedule/desk/", desk.desk, name="desk"),
    path("schedule/availability/", weekly_hours.availability, name="availability"),
    path("schedule/availability/time-off/", time_off.time_off, name="time_off"),
    path(
        "schedule/availability/time-off/<int:override_id>/remove/",
        time_off.remove,
        name="remove_time_off",
    ),
    path("schedule/availability/rules/", booking_rules.booking_rules, name="booking_rules"),
    path("schedule/availability/calendars/", calendars.calendars, name="calendars"),
    path(
        "schedule/availability/calendars/<int:calendar_id>/read/",
        calendars.read_now,
        name="read_calendar",
    ),
    path(
        "schedule/availability/calendars/<int:calendar_id>/remove/",
        calendars.disconnect,
        name="disconnect_calendar",
    ),
    path("schedule/availability/visits/", decisions.outside_hours, name="outside_hours"),
    path(
        "schedule/availability/visits/<int:rearrangement_id>/",
        decisions.rearrangement,
        name="rearrangement",
    ),
    path("schedule/visits/<uuid:appointment_id>/", visits.visit, name="visit"),
    path("schedule/visits/<uuid:appointment_id>/move/", moving.move, name="move_visit"),
    path("schedule/visits/<uuid:appointment_id>/act/", visits.act, name="act"),
    path("schedule/visits/<uuid:appointment_id>/note/", visits.note, name="note"),
    path("events/doctors/<int:doctor_id>/", live.may_listen, name="live"),
    path("schedule/numbers/", numbers.numbers, name="numbers"),
    path("schedule/numbers/days.csv", numbers.days_file, name="numbers_file"),
    path("schedule/feed/", feeds.page, name="feed"),
    path("schedule/feed/link/", feeds.make_link, name="make_feed"),
    path("schedule/feed/revoke/", feeds.revoke_link, name="revoke_feed"),
    path("calendar/<str:token>.ics", feeds.calendar, name="calendar_feed"),
    path("after-sign-in/", landing.after_sign_in, name="after_sign_in"),
]
