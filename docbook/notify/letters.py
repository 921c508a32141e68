"""A mail whose subject begins on the line of its name, however long it is."""

from email.header import Header
from email.message import Message

from django.core.mail import EmailMultiAlternatives

# Longer words do not fit beside the name of the header, so that a fold would come first.
LONGEST_WORD = 60


def folded_subject(subject: str) -> str:
    """Encoded and folded as RFC 2047 asks, with room for the header's name.

    Django leaves no room: then a line break comes first, which some readers show as a blank.
    """
    fits = subject.isascii() and all(len(word) <= LONGEST_WORD for word in subject.split())
    return Header(subject, None if fits else "utf-8", header_name="Subject").encode()


class Letter(EmailMultiAlternatives):
    def message(self) -> Message:  # type: ignore[override]  # the stubs are of Django 6
        made = super().message()
        made.replace_header("Subject", folded_subject(str(self.subject)))
        return made
