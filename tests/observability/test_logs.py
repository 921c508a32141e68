"""What a traceback may say."""

import pytest
import structlog
from django.db import IntegrityError

from docbook.observability.logs import leave_out_details
from tests.factories import make_user


@pytest.mark.django_db
def test_traceback_of_a_refused_row_does_not_show_the_row() -> None:
    email = make_user().email
    try:
        make_user(email=email)
    except IntegrityError:
        event = structlog.processors.format_exc_info(None, "", {"exc_info": True})
    assert email in event["exception"]
    logged = leave_out_details(None, "", event)["exception"]
    assert email not in logged
    assert "one_user_per_email" in logged
