"""Functions of the database: people change `sql/*.sql`, and migrations carry them.

`make functions` writes the next migration of each app whose files have changed: the text of what is
new, frozen beside the migration, and the way back. `make check` compares.

A statement of the files is a type or a function, with the comment above it. Processes of the last
release go on calling functions by name while a migration runs: add parameters and columns, and
remove old ones a release later.
"""

import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from devstack.console import report
from devstack.layout import ROOT, shown
from devstack.refusals import Refusal

# The app, the folder of its files, and the folder of its migrations.
PLACES = {
    "audit": ("docbook/audit/sql", "docbook/audit/migrations"),
    "http": ("docbook/http/sql", "docbook/http/migrations"),
    "outbox": ("docbook/outbox/sql", "docbook/outbox/migrations"),
    "doctors": ("doctors/sql", "doctors/migrations"),
    "bookings": ("bookings/engine/sql", "bookings/migrations"),
}
FROZEN = "_functions.sql"

# Bodies name functions that are made further down.
_HEAD = "SET LOCAL check_function_bodies = off;\n"
_COMMENT = r"(?:^--[^\n]*\n)*"
_TYPE = re.compile(rf"{_COMMENT}^CREATE TYPE (?P<name>\w+) AS \(.*?^\);\n", re.M | re.S)
_FUNCTION = re.compile(
    rf"{_COMMENT}^CREATE (?:OR REPLACE )?FUNCTION (?P<name>\w+)"
    r"\((?P<arguments>.*?)\)\s+(?P<head>[^$]*?)AS \$\$.*?\$\$;\n",
    re.M | re.S,
)
_GONE = re.compile(r"^DROP (?P<kind>TYPE|FUNCTION IF EXISTS) (?P<name>\w+)", re.M)

_MIGRATION = '''"""Functions of the database, as `make functions` found them in {folder}."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).parent / "sql"


class Migration(migrations.Migration):

    dependencies = [
        ({app!r}, {before!r}),
    ]

    operations = [
        migrations.RunSQL(
            (SQL / "{number}_functions.sql").read_text(),
            (SQL / "{number}_functions_back.sql").read_text(),
        ),
    ]
'''


@dataclass(frozen=True)
class Functions:
    """The types and functions of a text, by name."""

    types: Mapping[str, str]
    functions: Mapping[str, re.Match[str]]

    @classmethod
    def of(cls, text: str) -> "Functions":
        return cls(
            {found["name"]: found.group() for found in _TYPE.finditer(text)},
            {found["name"]: found for found in _FUNCTION.finditer(text)},
        )

    def change_to(self, new: "Functions") -> str:
        """The statements that lead from these to the new ones: what is gone, then what is new."""
        # A type that goes takes along the types and functions that name it.
        changed: list[str] = []
        for name, text in self.types.items():
            if text != new.types.get(name) or _names_one_of(changed, text):
                changed.append(name)
        made = [name for name in new.types if name in changed or name not in self.types]
        gone = [
            name
            for name, found in self.functions.items()
            if _signature(found) != _signature(new.functions.get(name))
            or _names_one_of(changed, _signature(found))
        ]
        replaced = [
            found
            for name, found in new.functions.items()
            if name in gone or not _is_same(found, self.functions.get(name))
        ]
        return "\n".join(
            [
                _HEAD,
                *(_drop(self.functions[name]) for name in gone),
                *(f"DROP TYPE {name};\n" for name in reversed(changed)),
                *(new.types[name] for name in made),
                *(_replacing(found.group()) for found in replaced),
            ]
        )


def _is_same(one: re.Match[str], other: re.Match[str] | None) -> bool:
    return other is not None and _replacing(one.group()) == _replacing(other.group())


def _drop(found: re.Match[str]) -> str:
    return f"DROP FUNCTION IF EXISTS {found['name']}({_squeezed(found['arguments'])});\n"


def _names_one_of(types: Sequence[str], text: str) -> bool:
    return bool(types) and re.search(rf"\b({'|'.join(types)})\b", text) is not None


def _signature(found: re.Match[str] | None) -> str:
    return _squeezed(f"{found['arguments']} {found['head']}") if found else ""


def _squeezed(text: str) -> str:
    return " ".join(text.split())


def _replacing(statement: str) -> str:
    return statement.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION", 1)


def written(app: str) -> Functions:
    """What the files of the app say now, types first. Raises Refusal for anything else in them."""
    folder = ROOT / PLACES[app][0]
    files = sorted(folder.glob("*.sql"), key=lambda path: (path.name != "types.sql", path.name))
    for path in files:
        text = path.read_text()
        rest = _FUNCTION.sub("", _TYPE.sub("", text))
        if said := "\n".join(line for line in rest.splitlines() if line[:2] not in ("", "--")):
            raise Refusal(f"{shown(path)} holds more than types and functions:\n{said}")
    return Functions.of("\n".join(path.read_text() for path in files))


def frozen(app: str) -> Functions:
    """What the migrations of the app's functions have made, one after the other."""
    types: dict[str, str] = {}
    functions: dict[str, re.Match[str]] = {}
    for path in sorted((ROOT / PLACES[app][1] / "sql").glob(f"*{FROZEN}")):
        text = path.read_text()
        found = Functions.of(text)
        for gone in _GONE.finditer(text):
            (types if gone["kind"] == "TYPE" else functions).pop(gone["name"], None)
        types |= found.types
        functions |= found.functions
    return Functions(types, functions)


def is_migrated(app: str) -> bool:
    return frozen(app).change_to(written(app)) == _HEAD


def write_migrations(_arguments: Sequence[str]) -> int:
    for app in PLACES:
        if is_migrated(app):
            report(app, "as its newest migration")
        else:
            report(app, f"{shown(_write(app))} written")
    return 0


def _write(app: str) -> Path:
    folder = ROOT / PLACES[app][1]
    *_, last = sorted(path.stem for path in folder.glob("[0-9]*.py"))
    number = f"{int(last[:4]) + 1:04d}"
    old, new = frozen(app), written(app)
    sql = folder / "sql"
    sql.mkdir(exist_ok=True)
    (sql / f"{number}{FROZEN}").write_text(old.change_to(new))
    (sql / f"{number}_functions_back.sql").write_text(new.change_to(old))
    path = folder / f"{number}_functions.py"
    path.write_text(_MIGRATION.format(folder=PLACES[app][0], app=app, before=last, number=number))
    return path


def compare() -> int:
    """Exit code 1 if files have changed since the newest migration of their functions."""
    changed = [PLACES[app][0] for app in PLACES if not is_migrated(app)]
    if changed:
        print(f"Functions have changed in {', '.join(changed)}: `make functions`.")
    return int(bool(changed))


if __name__ == "__main__":
    try:
        sys.exit(compare())
    except Refusal as refusal:
        sys.exit(str(refusal))
