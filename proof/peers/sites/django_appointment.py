"""A throw-away project for django-appointment, set up as its README recommends: mails go through
the queue of Django Q, and no worker runs.

`python project.py DOCTORS PEOPLE` makes the tables, fills them, and prints ids and sessions as
JSON. `project:application` is what the server serves.
"""

import json
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any

import django
from django.conf import settings

settings.configure(
    SECRET_KEY=os.environ["SECRET_KEY"],
    ALLOWED_HOSTS=["*"],
    DATABASES={"default": json.loads(os.environ["PEER_DATABASE"])},
    ROOT_URLCONF="project",
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "django.contrib.messages",
        "django.contrib.staticfiles",
        "phonenumber_field",
        "django_q",
        "appointment",
    ],
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
    ],
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}],
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    # The package has no migrations: its users write them. Here tables are made as models say.
    MIGRATION_MODULES=dict.fromkeys(
        ("auth", "contenttypes", "sessions", "django_q", "appointment"), None
    ),
    STATIC_URL="/static/",
    TIME_ZONE="UTC",
    USE_DJANGO_Q_FOR_EMAILS=True,
    Q_CLUSTER={"name": "django-appointment", "timeout": 90, "retry": 120, "orm": "default"},
)
django.setup()

# These can be imported only after Django's setup.
from django.apps import apps  # noqa: E402
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY  # noqa: E402
from django.contrib.auth.hashers import make_password  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402
from django.contrib.sessions.backends.db import SessionStore  # noqa: E402
from django.contrib.sessions.models import Session  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.urls import include, path  # noqa: E402
from django.utils.crypto import get_random_string  # noqa: E402

OPENS, CLOSES, MINUTES = time(8), time(16), 20

urlpatterns = [path("appointment/", include("appointment.urls"))]
application = get_wsgi_application()


def fill(*, doctors: int, people: int) -> dict[str, object]:
    call_command("migrate", run_syncdb=True, verbosity=0)
    _model("Config").objects.create(
        slot_duration=MINUTES, lead_time=OPENS, finish_time=CLOSES, appointment_buffer_time=0
    )
    visit = timedelta(minutes=MINUTES)
    service = _model("Service").objects.create(name="Single", duration=visit, price=60)
    return {
        "service": service.pk,
        "staff": [_staff_member(user, service).pk for user in _users("doctor", doctors)],
        "sessions": _sessions(_users("patient", people)),
    }


def _staff_member(user: User, service: Any) -> Any:
    member = _model("StaffMember").objects.create(user=user)
    member.services_offered.add(service)
    hours = _model("WorkingHours")
    hours.objects.bulk_create(
        hours(staff_member=member, day_of_week=day, start_time=OPENS, end_time=CLOSES)
        for day in range(7)
    )
    return member


def _users(name: str, count: int) -> list[User]:
    nobody_signs_in = make_password(None)
    return User.objects.bulk_create(
        User(
            username=f"{name}-{number}",
            email=f"{name}-{number}@peers.test",
            first_name=name.title(),
            last_name=str(number),
            password=nobody_signs_in,
        )
        for number in range(1, count + 1)
    )


def _sessions(users: Sequence[User]) -> list[str]:
    """Somebody who is signed in, for each user."""
    store, end = SessionStore(), datetime.now(UTC) + timedelta(days=1)
    backend = "django.contrib.auth.backends.ModelBackend"
    made = Session.objects.bulk_create(
        Session(
            session_key=get_random_string(32),
            session_data=store.encode(
                {
                    SESSION_KEY: str(user.pk),
                    BACKEND_SESSION_KEY: backend,
                    HASH_SESSION_KEY: user.get_session_auth_hash(),
                }
            ),
            expire_date=end,
        )
        for user in users
    )
    return [session.session_key for session in made]


def _model(name: str) -> Any:
    return apps.get_model("appointment", name)


if __name__ == "__main__":
    print(json.dumps(fill(doctors=int(sys.argv[1]), people=int(sys.argv[2]))))
