"""Live updates: the process that tells open pages what has changed."""

from docbook.settings.environment import env

# HOST:PORT of that process. Web processes pass `/events/` on to it; without it, pages look for
# changes by themselves every minute.
EVENTS_ADDRESS = env.str("EVENTS_ADDRESS", default="")
# After this time a stream ends and the browser opens the next one, so a sign-out or a lost right
# ends it by then.
EVENTS_STREAM_SECONDS = env.int("EVENTS_STREAM_SECONDS", default=300)
