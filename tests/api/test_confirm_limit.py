"""How often codes may be tried through the API, over all holds."""

from uuid import uuid4

import pytest

from tests.api.client import Api, problem
from tests.factories import make_patient

pytestmark = pytest.mark.django_db


def verify(api: Api, *, address: int):
    forwarded = {"X_Forwarded_For": f"192.0.2.{address}"}
    return api.post(f"bookings/{uuid4()}/verify-otp", {"code": "123456"}, **forwarded)


def test_sixty_first_code_of_a_patient_in_a_minute_is_refused_whatever_the_address():
    api = Api(make_patient())
    answers = [verify(api, address=number) for number in range(60)]
    assert {answer.status_code for answer in answers} == {404}
    problem(verify(api, address=99), code="rate-limited", status=429)


def test_sixty_first_code_of_an_address_in_a_minute_is_refused_for_every_sender():
    apis = [Api(make_patient()) for _ in range(3)]
    answers = [verify(apis[number % 3], address=1) for number in range(60)]
    assert {answer.status_code for answer in answers} == {404}
    problem(verify(apis[0], address=1), code="rate-limited", status=429)
