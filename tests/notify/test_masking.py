import pytest

from docbook.notify.masking import masked_email


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("anna.de.boer@example.org", "a•••r@example.org"),
        ("bob@example.org", "b•••b@example.org"),
        ("jo@example.org", "j•••@example.org"),
        ("j@example.org", "j•••@example.org"),
        ("", "•••@"),
    ],
)
def test_masked_address_tells_its_owner_enough_and_others_little(address: str, shown: str) -> None:
    assert masked_email(address) == shown
