"""Showing where a code went without showing the address."""


def masked_email(email: str) -> str:
    """First and last letter of the name, and the whole domain: a•••z@example.org."""
    name, _, domain = email.partition("@")
    last = name[-1] if len(name) > 2 else ""
    return f"{name[:1]}•••{last}@{domain}"
