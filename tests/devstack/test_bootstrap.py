import subprocess
from pathlib import Path

import pytest

from devstack import bootstrap
from devstack.layout import ROOT
from devstack.refusals import Refusal


@pytest.fixture
def venv(tmp_path, monkeypatch) -> Path:
    """A folder for a virtualenv, and two empty lock files."""
    locks = (tmp_path / "requirements.txt", tmp_path / "requirements-dev.txt")
    for lock in locks:
        lock.write_text("# nothing\n")
    folder = tmp_path / ".venv"
    monkeypatch.setattr(bootstrap, "LOCK_FILES", locks)
    monkeypatch.setattr(bootstrap, "VENV", folder)
    monkeypatch.setattr(bootstrap, "PYTHON", folder / "bin" / "python")
    monkeypatch.setattr(bootstrap, "STAMP", folder / "installed")
    monkeypatch.setattr(bootstrap, "INSTALL_LOG", folder / "install.log")
    monkeypatch.delenv("PYTHON", raising=False)
    return folder


@pytest.fixture
def pip(monkeypatch) -> list[str]:
    """pip and venv, replaced by records of their calls."""
    calls: list[str] = []
    monkeypatch.setattr(bootstrap, "_create_virtualenv", lambda: calls.append("create"))
    monkeypatch.setattr(bootstrap, "_install_locked_packages", lambda: calls.append("install"))
    monkeypatch.setattr(bootstrap, "_interpreter_works", bootstrap.PYTHON.exists)
    return calls


def _pretend_interpreter(venv: Path) -> None:
    (venv / "bin").mkdir(parents=True)
    (venv / "bin" / "python").touch()


def test_the_second_time_nothing_is_installed(venv, pip):
    _pretend_interpreter(venv)
    bootstrap.make_virtualenv_complete()
    bootstrap.make_virtualenv_complete()

    assert pip == ["install"]


def test_a_changed_lock_file_is_installed(venv, pip):
    _pretend_interpreter(venv)
    bootstrap.make_virtualenv_complete()
    bootstrap.LOCK_FILES[1].write_text("# another\n")
    bootstrap.make_virtualenv_complete()

    assert pip == ["install", "install"]


def test_an_installation_that_was_cut_short_does_not_count(venv, pip, monkeypatch):
    _pretend_interpreter(venv)
    bootstrap.make_virtualenv_complete()
    bootstrap.LOCK_FILES[0].write_text("# another\n")

    def cut_short() -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(bootstrap, "_install_locked_packages", cut_short)
        with pytest.raises(KeyboardInterrupt):
            bootstrap.make_virtualenv_complete()

    assert not bootstrap.is_complete()
    bootstrap.make_virtualenv_complete()
    assert pip == ["install", "install"]


def test_another_python_builds_anew_only_when_it_was_chosen(venv, pip, monkeypatch):
    _pretend_interpreter(venv)
    (venv / "lib" / "python3.99").mkdir(parents=True)
    bootstrap.make_virtualenv_complete()
    assert pip == ["install"]

    monkeypatch.setenv("PYTHON", "python3")
    bootstrap.make_virtualenv_complete()

    assert pip == ["install", "create", "install"]


def test_a_python_without_venv_is_one_sentence():
    said = bootstrap._why_no_virtualenv("The virtual environment was not created: ensurepip is not")

    assert "apt-get install python3." in said
    assert "\n" not in said


def test_pip_that_fails_is_one_sentence_after_its_last_lines(venv, monkeypatch, capsys):
    venv.mkdir()
    command = ["sh", "-c", "echo 'Collecting a'; echo 'ERROR: no network'; exit 1"]
    monkeypatch.setattr(bootstrap, "_pip_command", lambda: command)

    with pytest.raises(Refusal, match="could not install the locked packages"):
        bootstrap._install_locked_packages()

    assert "ERROR: no network" in capsys.readouterr().out


def test_an_old_python_gets_a_sentence_instead_of_a_traceback(tmp_path):
    """The check comes before every import, and uses only syntax that old interpreters can read."""
    old = "import sys; sys.version_info = (3, 9, 2); sys.path.insert(0, '.')\n"
    run = "import runpy; runpy.run_module('devstack', run_name='__main__')"
    done = subprocess.run(
        ["python3", "-c", f"{old}{run}"], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 1
    assert done.stderr.startswith("DocBook needs Python 3.11 or newer, and this is Python 3.9.")
    assert done.stderr.count("\n") == 1
