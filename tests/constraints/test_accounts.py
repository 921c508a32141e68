from tests.constraints.registry import breaks
from tests.factories import make_user


@breaks("one_user_per_email")
def test_an_address_in_capitals_is_no_second_user():
    make_user(email="alba@example.test")
    make_user(email="other@example.test")
    from_another_door = make_user(email="third@example.test")
    from_another_door.email = "ALBA@example.test"
    from_another_door.save()
