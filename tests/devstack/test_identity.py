import os
import subprocess

from devstack.identity import Identity, identify
from tests.devstack.running import eventually, sleeper


def test_a_running_process_is_alive():
    assert identify(os.getpid()).is_alive()


def test_the_same_pid_with_another_start_is_somebody_else():
    assert not Identity(pid=os.getpid(), started="before this one").is_alive()


def test_a_process_that_was_gone_when_asked_never_counts_as_alive():
    process = subprocess.Popen(["true"])
    process.wait()

    assert not identify(process.pid).is_alive()


def test_a_zombie_counts_as_gone():
    process = sleeper()
    identity = identify(process.pid)
    process.kill()  # and not waited for: a zombie from here on

    assert eventually(lambda: not identity.is_alive())
    process.wait()
