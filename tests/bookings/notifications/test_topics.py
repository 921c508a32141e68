"""The database's functions publish by themselves, without the registry of topics."""

import re

import pytest
from django.db import connection

from docbook.outbox import topics


@pytest.mark.django_db
def test_every_topic_that_the_database_publishes_has_a_receiver() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT prosrc FROM pg_proc WHERE prosrc ~ 'outbox_(publish|outboxmessage)'")
        sources = [source for (source,) in cursor.fetchall()]
    named = set(re.findall(r"'((?:otp|appointment|slot|waitlist)\.[a-z_]+)'", " ".join(sources)))
    noted = {"appointment.rescheduled"}  # a name of the audit
    assert named - noted == {
        "otp.requested",
        "appointment.confirmed",
        "appointment.moved",
        "slot.released",
    }
    for topic in named - noted:
        assert topics.is_received(topic)
