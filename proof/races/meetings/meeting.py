"""A meeting: two acts, and what they both want."""

from collections.abc import Callable
from dataclasses import dataclass, field

from proof.races.stage import Act, Stage

Prepare = Callable[[Stage], tuple[Act, Act]]


@dataclass(frozen=True)
class Meeting:
    """`over` says what they both want. `settings` are those of the moment."""

    first: str
    second: str
    over: str
    prepare: Prepare
    settings: dict[str, object] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.first} + {self.second}: {self.over}"


MEETINGS: list[Meeting] = []


def meet(
    first: str,
    second: str,
    *,
    over: str,
    **settings: object,
) -> Callable[[Prepare], Prepare]:
    """The function prepares the rows and returns the two acts."""

    def add(prepare: Prepare) -> Prepare:
        MEETINGS.append(Meeting(first, second, over, prepare, settings))
        return prepare

    return add
