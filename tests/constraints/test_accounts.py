from tests.constraints.registry import breaks
from tests.factories import make_user


@breaks("one_user_per_email")
def test_an_address_belongs_to_one_user():
    make_user(email="alba@example.test")
    other = make_user(email="other@example.test")
    other.email = "alba@example.test"
    other.save()


@breaks("user_email_is_plain_and_in_lower_case")
def test_an_address_in_capitals_is_refused():
    user = make_user(email="alba@example.test")
    user.email = "ALBA@example.test"
    user.save()


@breaks("user_email_is_plain_and_in_lower_case")
def test_an_address_with_a_letter_that_looks_like_another_is_refused():
    user = make_user(email="victim@mail.test")
    user.email = "victim@ma\u0131l.test"
    user.save()
