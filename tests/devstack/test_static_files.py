"""`make run` collects static files once for each state of them."""

from pathlib import Path

from devstack.interrupts import Interrupts
from devstack.processes import Workshop
from devstack.static_files import collect_static


def test_static_files_are_collected_again_only_after_a_change(tmp_path: Path) -> None:
    workshop = Workshop(folder=tmp_path, interrupts=Interrupts())
    workshop.open()
    folder = tmp_path / "static"
    environment = {"DJANGO_SETTINGS_MODULE": "docbook.settings.dev", "STATIC_ROOT": str(folder)}

    collect_static(folder, workshop=workshop, environment=environment)
    names = folder / "staticfiles.json"
    assert "css/core." in names.read_text()
    names.unlink()
    collect_static(folder, workshop=workshop, environment=environment)
    assert not names.exists()

    (folder / "collected").write_text("another state")
    collect_static(folder, workshop=workshop, environment=environment)
    assert names.exists()
