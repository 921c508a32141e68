"""The result of each mutant: a table for people, JSON for comparisons."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum

from devstack.console import report, say
from proof.report import Row, show_table, write_results


class Fate(StrEnum):
    """REFUSED by the type checker or by PostgreSQL: nobody can run it, so it does not count."""

    KILLED = "killed"
    TIMEOUT = "timeout"
    SURVIVED = "survived"
    REFUSED = "refused"


@dataclass(frozen=True)
class Mutant:
    """`place` is the module or function that it breaks; `change` shows what it replaces."""

    place: str
    name: str
    fate: Fate
    change: str = ""


@dataclass(frozen=True)
class Verdicts:
    of: str
    mutants: Sequence[Mutant]

    def show(self) -> None:
        for each in self._survivors:
            say(f"\nSurvived: {each.name}\n{each.change}")
        say()
        show_table(self._by_place)
        say()
        for name, value in self._figures.items():
            report(name, str(value))

    def write(self) -> None:
        content = {
            "scenario": self.of,
            "figures": self._figures,
            "tables": {"By place": self._by_place},
            "survivors": [asdict(each) for each in self._survivors],
        }
        write_results(f"mutation-{self.of}", content)

    @property
    def _survivors(self) -> list[Mutant]:
        return [each for each in self.mutants if each.fate is Fate.SURVIVED]

    @property
    def _by_place(self) -> list[Row]:
        places = dict.fromkeys(each.place for each in self.mutants)
        return [{"place": place} | self._count(place) for place in places]

    @property
    def _figures(self) -> Row:
        return self._count()

    def _count(self, place: str | None = None) -> dict[str, object]:
        fates = Counter(each.fate for each in self.mutants if place in (None, each.place))
        noticed = fates[Fate.KILLED] + fates[Fate.TIMEOUT]
        tried = noticed + fates[Fate.SURVIVED]
        return {
            "n": tried,
            **{fate.value: fates[fate] for fate in Fate},
            "score": round(noticed / tried, 3) if tried else None,
        }
