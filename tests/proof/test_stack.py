import pytest
from django.db import connection

from devstack.refusals import Refusal
from proof.stack import settings_of


@pytest.mark.django_db
def test_a_server_that_could_lose_a_commit_proves_nothing():
    url = "postgresql://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**connection.settings_dict)

    with pytest.raises(Refusal, match=r"synchronous_commit.* must be on"):
        settings_of(f"{url}?options=-c%20synchronous_commit%3Doff")
