import os
import signal
import socket

import pytest

from devstack.data_lock import sole_use_of
from devstack.interrupts import Interrupts
from devstack.ports import LOOPBACK, free_port, require_free, web_port
from devstack.refusals import Refusal
from devstack.sole_runner import only_runner
from tests.devstack.running import Rehearsal, all_gone, eventually


def test_a_second_run_on_the_same_data_is_refused_with_its_address(tmp_path):
    with (
        only_runner(tmp_path, port=free_port(), interrupts=Interrupts()),
        pytest.raises(Refusal, match=rf"already runs.*process {os.getpid()}, http://127") as caught,
        only_runner(tmp_path, port=free_port(), interrupts=Interrupts()),
    ):
        pass
    assert "\n" not in str(caught.value)


def test_a_taken_port_is_one_sentence_and_nothing_was_started(tmp_path):
    with socket.create_server((LOOPBACK, 0)) as server:
        port = server.getsockname()[1]
        with (
            pytest.raises(Refusal, match=f"Port {port} is taken.*make run PORT="),
            only_runner(tmp_path, port=port, interrupts=Interrupts()),
        ):
            pass
    assert [path.name for path in tmp_path.iterdir()] == ["lock"]


def test_a_port_is_free_again_at_once_after_its_server_has_gone():
    with socket.create_server((LOOPBACK, 0)) as server:
        port = server.getsockname()[1]
        client = socket.create_connection((LOOPBACK, port))
        server.accept()[0].close()
        client.close()
    require_free(port)


@pytest.mark.parametrize("text", ["eight thousand", "0", "65536", "-1", "8000.5"])
def test_a_port_that_is_none_is_one_sentence(text):
    with pytest.raises(Refusal, match=f"PORT={text} is not a port"):
        web_port({"PORT": text})


def test_the_port_is_8000_unless_said_otherwise():
    assert (web_port({}), web_port({"PORT": ""}), web_port({"PORT": "9000"})) == (8000, 8000, 9000)


def test_the_lock_of_a_killed_runner_is_free(tmp_path):
    with Rehearsal("stubborn", tmp_path) as rehearsal:
        processes = rehearsal.started()
        rehearsal.popen.kill()
        rehearsal.popen.wait()

        with sole_use_of(tmp_path, holder="the next"):
            assert eventually(lambda: all_gone(processes))


def test_sigterm_lets_a_program_finish_and_a_second_signal_asks_for_haste(tmp_path):
    with Rehearsal("stubborn", tmp_path) as rehearsal:
        processes = rehearsal.started()
        rehearsal.popen.send_signal(signal.SIGTERM)
        assert not eventually(lambda: all_gone(processes), within=0.5)

        rehearsal.popen.send_signal(signal.SIGINT)

        assert eventually(lambda: all_gone(processes))
        assert rehearsal.read_line() == "stopped\n"
        assert rehearsal.popen.wait(20) == 0


def test_sigterm_ends_a_step_that_owns_the_terminal(tmp_path):
    with Rehearsal("step", tmp_path) as rehearsal:
        rehearsal.read_line()
        rehearsal.popen.send_signal(signal.SIGTERM)

        assert rehearsal.read_line() == "stopped\n"
        assert not list((tmp_path / "run").glob("*.json"))
