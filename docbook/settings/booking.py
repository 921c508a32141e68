"""Durations and limits: holds, codes, visits, reminders and the waitlist."""

from docbook.settings.environment import env, hours, reminder_hours

HOLD_SECONDS = 300
LIVE_HOLDS_PER_PATIENT = env.int("LIVE_HOLDS_PER_PATIENT", default=3)
LIVE_HOLDS_PER_GUEST = env.int("LIVE_HOLDS_PER_GUEST", default=1)
# A family, a waiting room's network or a carrier's gateway shares one address.
LIVE_HOLDS_PER_ADDRESS = env.int("LIVE_HOLDS_PER_ADDRESS", default=10)
# Upcoming visits, together with times held for more.
COMING_VISITS_PER_PATIENT = env.int("COMING_VISITS_PER_PATIENT", default=20)
CODE_RESEND_SECONDS = 30
# How many hours before their visit patients are reminded; an empty value means never.
REMINDER_HOURS = reminder_hours(env.list("REMINDER_HOURS", cast=int, default=[24, 2]))
# How long after its end an unmarked visit counts as missed.
MISSED_AFTER_HOURS = env.int("MISSED_AFTER_HOURS", default=4)
OFFER_SECONDS = 15 * 60
# How long times are held for a patient whose visit the practice has to move.
OTHER_TIMES_SECONDS = 48 * 3600
# Calendars elsewhere are read at these ports only, of public machines only.
OUTSIDE_PORTS = env.list("OUTSIDE_PORTS", cast=int, default=[443])
# In development and in tests they may be on this machine, and without https.
OUTSIDE_ON_LOOPBACK = False
WAITLIST_ENTRIES_PER_PATIENT = env.int("WAITLIST_ENTRIES_PER_PATIENT", default=5)
WAITLIST_QUIET_HOURS = hours(env.str("WAITLIST_QUIET_HOURS", default="21:00-08:00"))
