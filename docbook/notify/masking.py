"""Shows where a code went without showing the address or the number."""


def masked_email(email: str) -> str:
    """First and last letter of the name, and the whole domain: a•••z@example.org."""
    name, _, domain = email.partition("@")
    last = name[-1] if len(name) > 2 else ""
    return f"{name[:1]}•••{last}@{domain}"


def masked_phone(number: str) -> str:
    """The last two digits: •••• 42."""
    return f"•••• {number[-2:]}"
