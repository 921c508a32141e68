"""Background work: queues by urgency, time limits, and scheduled tasks."""

from datetime import timedelta

from celery.schedules import crontab
from kombu import Exchange, Queue

from docbook.settings.environment import env, redis_database
from docbook.settings.redis import REDIS_URL

CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", default="") or redis_database(REDIS_URL, 1)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
# By urgency: somebody waits for a code; sweeps and reminders are short and due now; a mail may wait
# a little; a scan or a purge may take minutes and has its own worker.
CELERY_TASK_QUEUES = [
    Queue(name, Exchange(name), routing_key=name) for name in ("codes", "soon", "mail", "upkeep")
]
CELERY_TASK_DEFAULT_QUEUE = "upkeep"
# A task that takes longer has hung: all waits inside it end earlier. (Workers with threads cannot
# be stopped.)
CELERY_TASK_SOFT_TIME_LIMIT = 50
CELERY_TASK_TIME_LIMIT = 60
CELERY_TASK_ANNOTATIONS = {
    task: {"soft_time_limit": minutes * 60 - 10, "time_limit": minutes * 60}
    for task, minutes in (
        ("doctors.expand_slots", 30),
        ("doctors.carry_out_expansion", 30),
        ("bookings.check_invariants", 25),
        ("bookings.check_all_invariants", 240),
        ("bookings.look_over_waitlist", 10),
        ("bookings.make_partitions", 5),
        ("bookings.count_today", 10),
        ("bookings.recount_days", 60),
        ("bookings.purge_ended_holds", 30),
        ("bookings.purge_ended_waits", 30),
        ("outbox.purge_done_messages", 30),
        ("accounts.purge_refresh_sessions", 30),
        ("http.purge_idempotency_records", 30),
        ("http.purge_sessions", 30),
    )
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_timeout": 5,
    "socket_connect_timeout": 2,
    "queue_order_strategy": "priority",  # in the order in which a worker names its queues
    # In seconds. Then a task that is not done goes to another worker as well. Nothing waits so long
    # for a worker that died: the outbox and beat send their tasks again.
    "visibility_timeout": 60 + max(each["time_limit"] for each in CELERY_TASK_ANNOTATIONS.values()),
}
CELERY_WORKER_PREFETCH_MULTIPLIER = 1  # an urgent task cannot overtake those a worker has fetched
CELERY_TASK_PUBLISH_RETRY = False  # the outbox itself tries again
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
# Each run expires before the next: after an hour without workers, 240 sweeps must not wait before a
# mail.
CELERY_BEAT_SCHEDULE = {
    "sweep-holds": {
        "task": "bookings.sweep_holds",
        "schedule": timedelta(seconds=15),
        "options": {"expires": 15, "queue": "soon"},
    },
    "seal-audit": {
        "task": "audit.seal",
        "schedule": timedelta(seconds=10),
        "options": {"expires": 10, "queue": "soon"},
    },
    "check-invariants": {
        "task": "bookings.check_invariants",
        "schedule": timedelta(minutes=5),
        "options": {"expires": 240},
    },
    "check-all-invariants": {
        "task": "bookings.check_all_invariants",
        "schedule": crontab(hour="2", minute="30"),
        "options": {"expires": 6 * 3600},
    },
    "publish-reminders": {
        "task": "bookings.publish_reminders",
        "schedule": timedelta(seconds=30),
        "options": {"expires": 30, "queue": "soon"},
    },
    "mark-missed": {
        "task": "bookings.mark_missed",
        "schedule": timedelta(minutes=15),
        "options": {"expires": 900, "queue": "soon"},
    },
    "look-over-waitlist": {
        "task": "bookings.look_over_waitlist",
        "schedule": timedelta(minutes=5),
        "options": {"expires": 240},
    },
    "count-today": {
        "task": "bookings.count_today",
        "schedule": timedelta(minutes=15),
        "options": {"expires": 800},
    },
    "recount-days": {
        "task": "bookings.recount_days",
        "schedule": crontab(hour="4", minute="10"),
        "options": {"expires": 6 * 3600},
    },
    "expand-slots": {
        "task": "doctors.expand_slots",
        "schedule": timedelta(hours=6),
        "options": {"expires": 3600},
    },
    "read-due-calendars": {
        "task": "doctors.read_due_calendars",
        "schedule": timedelta(minutes=1),
        "options": {"expires": 50},
    },
    "make-partitions": {
        "task": "bookings.make_partitions",
        "schedule": timedelta(hours=12),
        "options": {"expires": 3600},
    },
    "renew-kept-secrets": {
        "task": "accounts.renew_kept_secrets",
        "schedule": crontab(hour="3", minute="45"),
        "options": {"expires": 6 * 3600},
    },
    "renew-kept-addresses": {
        "task": "doctors.renew_kept_addresses",
        "schedule": crontab(hour="3", minute="50"),
        "options": {"expires": 6 * 3600},
    },
    "purge-http-records": {
        "task": "http.purge_idempotency_records",
        "schedule": timedelta(hours=1),
        "options": {"expires": 1800},
    },
} | {
    f"purge-{name}": {
        "task": task,
        "schedule": crontab(hour="3", minute=minute),
        "options": {"expires": 6 * 3600},
    }
    for name, task, minute in (
        ("ended-holds", "bookings.purge_ended_holds", "10"),
        ("ended-waits", "bookings.purge_ended_waits", "15"),
        ("done-messages", "outbox.purge_done_messages", "20"),
        ("refresh-sessions", "accounts.purge_refresh_sessions", "30"),
        ("account-codes", "accounts.purge_codes", "35"),
        ("browser-sessions", "http.purge_sessions", "40"),
    )
}
