"""A mail whose subject begins on the line of its header name, however long it is."""

from email.header import Header
from email.message import Message
from functools import partial

from django.core.mail import EmailMultiAlternatives

from docbook.notify.written import is_text, written

# Longer words do not fit beside the header name, so a fold would come first.
LONGEST_WORD = 60


def folded_subject(subject: str) -> str:
    """Encodes and folds as RFC 2047 requires, with room for the header's name.

    Django leaves no room. A line break then comes first, which some mail programs show as a blank.
    """
    fits = subject.isascii() and all(len(word) <= LONGEST_WORD for word in subject.split())
    return Header(subject, None if fits else "utf-8", header_name="Subject").encode()


class Letter(EmailMultiAlternatives):
    def message(self) -> Message:  # type: ignore[override]  # the stubs are of Django 6
        made = super().message()
        made.replace_header("Subject", folded_subject(str(self.subject)))
        if is_text(made):
            made.as_bytes = partial(written, made)  # type: ignore[method-assign]
        return made
