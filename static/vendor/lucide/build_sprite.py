"""Draws static/icons.svg from the lucide icons that our templates name.

Usage: npm pack lucide-static@1.62.0 && tar xzf lucide-static-1.62.0.tgz
       python static/vendor/lucide/build_sprite.py package/icons
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
# A specialty names its icon in the database: what the admin may choose from.
SPECIALTIES = [
    *["accessibility", "activity", "apple", "baby", "bone", "brain", "dna", "droplet", "droplets"],
    *["ear", "eye", "flower-2", "footprints", "hand", "heart-handshake", "heart-pulse"],
    *["microscope", "pill", "ribbon", "salad", "scan", "shield-plus", "smile", "sparkles"],
    *["stethoscope", "sun", "syringe", "venus", "wind"],
]
# Named by doctors/views/picker.py.
PARTS_OF_DAY = ["coffee", "moon", "sun"]
# Named by bookings/schedule/numbers/presentation.py.
CHANGES = ["arrow-down", "arrow-up"]
# Named by static/js/app.js.
SCRIPTS = ["refresh-cw"]


def icons_in_templates() -> set[str]:
    pattern = re.compile(r'{% icon "([a-z0-9-]+)"|icon_name="([a-z0-9-]+)"')
    templates = (path.read_text() for path in (ROOT / "templates").rglob("*.html"))
    return {first or second for text in templates for first, second in pattern.findall(text)}


def symbol(name: str, source: str) -> str:
    shapes = re.search(r"<svg[^>]*>(.*)</svg>", source, re.DOTALL)
    if shapes is None:
        raise ValueError(f"{name} is no svg")
    inside = "".join(line.strip() for line in shapes[1].splitlines())
    return f'<symbol id="{name}" viewBox="0 0 24 24">{inside}</symbol>'


def main(folder: Path) -> None:
    names = sorted({*icons_in_templates(), *SPECIALTIES, *PARTS_OF_DAY, *CHANGES, *SCRIPTS})
    symbols = "\n".join(symbol(name, (folder / f"{name}.svg").read_text()) for name in names)
    (ROOT / "static/icons.svg").write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg">\n{symbols}\n</svg>\n'
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
