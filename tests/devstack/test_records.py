import subprocess
import sys
from dataclasses import replace

from devstack.identity import Identity, identify
from devstack.records import read_records, stop_recorded, write_record
from tests.devstack.running import eventually, record_of, sleeper

IGNORES_TERM = "import signal, time; signal.signal(15, signal.SIG_IGN); print(1, flush=True)\n"


def test_a_recorded_process_is_stopped_and_its_note_removed(tmp_path):
    process = sleeper()
    write_record(tmp_path, record_of(process))

    assert stop_recorded(tmp_path) == ["sleeper"]
    assert process.wait() == -15
    assert not list(tmp_path.iterdir())


def test_an_innocent_process_with_a_reused_pid_is_not_touched(tmp_path):
    innocent = sleeper()
    recorded = Identity(pid=innocent.pid, started="long before")
    write_record(tmp_path, record_of(innocent, process=recorded))

    assert stop_recorded(tmp_path) == []
    assert innocent.poll() is None
    assert not list(tmp_path.iterdir())
    innocent.kill()
    innocent.wait()


def test_only_the_named_owners_processes_are_stopped(tmp_path):
    mine, other = sleeper(), sleeper()
    write_record(tmp_path, record_of(mine, name="mine"))
    stranger = Identity(pid=1, started="elsewhere")
    write_record(tmp_path, record_of(other, name="other", owner=stranger))

    assert stop_recorded(tmp_path, owner=stranger) == ["other"]
    assert mine.poll() is None
    assert stop_recorded(tmp_path) == ["mine"]
    assert {mine.wait(), other.wait()} == {-15}


def test_a_process_that_ignores_the_signal_is_killed_with_its_group(tmp_path):
    child = "import subprocess, sys; print(subprocess.Popen(['sleep', '60']).pid, flush=True)\n"
    process = subprocess.Popen(
        [sys.executable, "-c", f"{child}{IGNORES_TERM}time.sleep(60)"],
        start_new_session=True,
        stdout=subprocess.PIPE,
    )
    assert process.stdout
    grandchild = identify(int(process.stdout.readline()))
    process.stdout.readline()
    write_record(tmp_path, record_of(process, patience=0.2))

    stop_recorded(tmp_path)

    assert process.wait() == -9
    assert eventually(lambda: not grandchild.is_alive())
    process.stdout.close()


def test_a_note_that_a_newer_start_has_replaced_is_kept(tmp_path, monkeypatch):
    process = sleeper()
    old = record_of(process)
    path = write_record(tmp_path, old)
    newer = replace(old, owner=Identity(pid=2, started="later"))
    monkeypatch.setattr("devstack.records._wait_or_kill", lambda _: write_record(tmp_path, newer))

    stop_recorded(tmp_path)

    assert dict(read_records(tmp_path)) == {path: newer}
    process.wait()


def test_a_note_that_was_cut_short_is_no_obstacle(tmp_path):
    (tmp_path / "broken.json").write_text('{"name": "bro')

    assert stop_recorded(tmp_path) == []
