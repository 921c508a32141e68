"""The refusals of DocBook, one small class each, with a code that never changes.

Services raise them, and each door translates them once (`docbook.http.problems` for the API,
`docbook.http.pages` for pages). Everything a class carries is safe to show to the caller.
"""

from typing import Any, ClassVar


class DomainError(Exception):
    """A client asked for something that it may not have, or may not have now.

    `code` is part of the API contract. `extra` holds machine-readable members of the answer.
    """

    code: ClassVar[str] = "error"

    def __init__(self, message: str = "", **extra: Any) -> None:
        super().__init__(message or self.code)
        self.message = message
        self.extra = extra


class FieldError(DomainError):
    """A value that is well-formed but cannot be accepted. Names its field."""

    code = "validation"

    def __init__(self, field: str, message: str, *, field_code: str = "invalid") -> None:
        super().__init__(message)
        self.field = field
        self.field_code = field_code


class NotFound(DomainError):
    """Unknown, or not the caller's. Both look the same to a stranger."""

    code = "not-found"


class NotYours(NotFound):
    """Somebody else's. The caller gets the answer for an unknown object; the audit records more."""

    def __init__(self, object_type: str, pk: object) -> None:
        super().__init__()
        self.object_type, self.pk = object_type, pk


class VersionMismatch(DomainError):
    """The object has changed since the caller last saw it."""

    code = "version-mismatch"


class RateLimited(DomainError):
    """Too many requests in a window; `retry_after` is in whole seconds. For a limit from the table,
    it also has the name, and that `most` requests are allowed in `seconds`.
    """

    code = "rate-limited"

    def __init__(
        self, *, retry_after: int, limit: str = "", most: int = 0, seconds: int = 0
    ) -> None:
        super().__init__("")
        self.retry_after = retry_after
        self.limit = limit
        self.most = most
        self.seconds = seconds

    @property
    def facts(self) -> dict[str, Any]:
        """The arguments for a more specific refusal."""
        names = ("retry_after", "limit", "most", "seconds")
        return {name: getattr(self, name) for name in names}
