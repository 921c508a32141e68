"""The refusals of DocBook, one small class each, with a code that never changes.

Services raise them; each door translates them once (`docbook.http.problems` for the API,
`docbook.http.pages` for pages). What a class carries beside its code is safe to show to the caller.
"""

from typing import Any, ClassVar


class DomainError(Exception):
    """Something a client asked for and may not have, or may not have now.

    `code` is part of the API contract. `extra` holds machine-readable members of the answer.
    """

    code: ClassVar[str] = "error"

    def __init__(self, message: str = "", **extra: Any) -> None:
        super().__init__(message or self.code)
        self.message = message
        self.extra = extra


class FieldError(DomainError):
    """A value that is well-formed and still cannot be accepted; names its field."""

    code = "validation"

    def __init__(self, field: str, message: str, *, field_code: str = "invalid") -> None:
        super().__init__(message)
        self.field = field
        self.field_code = field_code


class NotFound(DomainError):
    """Unknown, or not the caller's: both look alike to a stranger."""

    code = "not-found"


class NotYours(NotFound):
    """Somebody else's. The caller is told what is told of the unknown; the audit is told more."""

    def __init__(self, object_type: str, pk: object) -> None:
        super().__init__()
        self.object_type, self.pk = object_type, pk


class VersionMismatch(DomainError):
    """It was changed since the caller has seen it."""

    code = "version-mismatch"


class RateLimited(DomainError):
    """Too many requests in a window; `retry_after` in whole seconds. Of a limit of the table also
    its name, and that it allows `most` requests in `seconds`.
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
        """What makes another refusal of it that says more."""
        names = ("retry_after", "limit", "most", "seconds")
        return {name: getattr(self, name) for name in names}
