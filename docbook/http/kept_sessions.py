"""Django's sessions in the database, read by a query whose SQL is kept."""

import re

from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.db.models import CharField, DateTimeField
from django.utils import timezone

from docbook.postgres.kept_query import Given, KeptQuery

# Django makes keys of these letters. PostgreSQL refuses some others, such as NUL, with an error.
_KEY = re.compile("[a-z0-9]{8,40}")

_SESSION = KeptQuery(
    lambda: Session.objects.filter(
        session_key=Given("key", CharField()), expire_date__gt=Given("now", DateTimeField())
    )
)


class SessionStore(db.SessionStore):
    """`SESSION_ENGINE` names this module. Every request of a known browser reads one session."""

    def _validate_session_key(self, key: str | None) -> bool:
        return bool(key and _KEY.fullmatch(key))

    def _get_session_from_db(self) -> Session | None:
        session = _SESSION.first(key=self.session_key, now=timezone.now())
        if session is None:
            self._session_key = None
        return session
