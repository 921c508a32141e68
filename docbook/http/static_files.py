"""How static files are collected: one stylesheet for each kind of page, named by its content.

Our stylesheets are many short files that import each other. A browser would fetch such files one
after the other, so collecting replaces each import with the imported sheet. Nothing else is built:
if files are served from their sources, browsers follow the imports themselves.
"""

import posixpath
import re
from collections.abc import Callable
from typing import Any

from django.core.files.base import ContentFile
from whitenoise.storage import CompressedManifestStaticFilesStorage

Reader = Callable[[str], str]

OURS = "css/"
# An exclamation mark begins what must stay: a licence.
COMMENT = re.compile(r"/\*(?!!).*?\*/\s*", re.DOTALL)
INDENT = re.compile(r"\n\s+")
IMPORT = re.compile(r'@import url\("([^"]+)"\)(?: layer\(([a-z]+)\))?;\s*')
ADDRESS = re.compile(r'url\("([^"]+)"\)')


class BundledStaticFilesStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """Compressed once, named by content, with each of our stylesheets whole."""

    def post_process(self, paths: dict[str, Any], dry_run: bool = False, **options: Any) -> Any:
        if not dry_run:
            self._write_whole_sheets(paths)
        yield from super().post_process(paths, dry_run, **options)

    def _write_whole_sheets(self, paths: dict[str, Any]) -> None:
        def read(name: str) -> str:
            storage, path = paths[name]
            with storage.open(path) as file:
                return str(file.read().decode())

        sheets = {name: whole_sheet(name, read=read) for name in paths if name.startswith(OURS)}
        for name, sheet in sheets.items():
            self.delete(name)
            self.save(name, ContentFile(sheet.encode()))
            paths[name] = (self, name)


def whole_sheet(name: str, *, read: Reader) -> str:
    """The stylesheet with its imports included, and without comments."""
    folder = posixpath.dirname(name)

    def imported(found: re.Match[str]) -> str:
        address, layer = found.groups()
        other = posixpath.normpath(posixpath.join(folder, address))
        sheet = _seen_from(folder, whole_sheet(other, read=read), at=posixpath.dirname(other))
        return f"@layer {layer} {{\n{sheet}}}\n" if layer else sheet

    return IMPORT.sub(imported, INDENT.sub("\n", COMMENT.sub("", read(name))))


def _seen_from(folder: str, sheet: str, *, at: str) -> str:
    """Rewrites the addresses in a sheet, which are relative to its folder, for another folder."""

    def moved(found: re.Match[str]) -> str:
        return f'url("{posixpath.relpath(posixpath.join(at, found[1]), folder)}")'

    return sheet if at == folder else ADDRESS.sub(moved, sheet)
