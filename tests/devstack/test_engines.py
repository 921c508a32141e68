import smtplib
from email.message import EmailMessage

import psycopg
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from devstack.engines import running_engines
from devstack.interrupts import Interrupts
from devstack.ports import free_port
from devstack.sole_runner import only_runner
from tests.devstack.running import ENGINE_VARIABLES, Rehearsal, all_gone, eventually, sleeper


@pytest.fixture(autouse=True)
def _nothing_from_outside(monkeypatch):
    for name in ENGINE_VARIABLES:
        monkeypatch.delenv(name, raising=False)


def test_a_killed_runner_leaves_nothing_behind_and_the_next_start_finds_its_data(tmp_path):
    with Rehearsal("kept", tmp_path) as rehearsal:
        processes = rehearsal.started()
        assert len(processes) == 3
        rehearsal.popen.kill()
        rehearsal.popen.wait()
    secret = (tmp_path / "postgres" / "password").read_text()

    with (
        only_runner(tmp_path, port=free_port(), interrupts=Interrupts()) as workshop,
        running_engines(workshop=workshop) as engines,
    ):
        assert all_gone(processes)
        assert engines.postgres
        assert engines.postgres.password == secret.strip()
        assert _ask(engines.postgres.url(), "SHOW fsync") == "on"
    assert all_gone(processes)
    assert not list((tmp_path / "run").iterdir())


def test_engines_for_a_test_run_vanish_when_the_runner_is_killed(tmp_path):
    with Rehearsal("thrown-away", tmp_path) as rehearsal:
        processes = rehearsal.started()
        rehearsal.popen.kill()
        rehearsal.popen.wait()

        assert eventually(lambda: all_gone(processes))
        assert eventually(lambda: not list(tmp_path.glob("docbook-*")))


def test_the_engines_answer_only_to_their_password_and_keep_every_mail(tmp_path):
    with (
        only_runner(tmp_path, port=free_port(), interrupts=Interrupts()) as workshop,
        running_engines(workshop=workshop, durable=False) as engines,
    ):
        assert engines.postgres
        assert engines.valkey
        assert engines.mail_sink
        _refused_without_password(engines.postgres.url(), engines.postgres.password)
        with pytest.raises(redis.AuthenticationError):
            redis.Redis(port=engines.valkey.port, retry=Retry(NoBackoff(), 0)).ping()
        _send(engines.mail_sink.port)
        assert len(list((engines.maildir / "new").iterdir())) == 1
        policy = redis.Redis.from_url(engines.valkey.url()).config_get("maxmemory-policy")
        assert policy == {"maxmemory-policy": "noeviction"}


def test_a_pid_file_with_somebody_elses_pid_does_not_keep_postgres_from_starting(tmp_path):
    def start_once() -> str:
        with (
            only_runner(tmp_path, port=free_port(), interrupts=Interrupts()) as workshop,
            running_engines(workshop=workshop, durable=False) as engines,
        ):
            assert engines.postgres
            return _ask(engines.postgres.url(), "SELECT 'up'")

    start_once()
    innocent = sleeper()
    (tmp_path / "postgres" / "data" / "postmaster.pid").write_text(f"{innocent.pid}\n")

    assert start_once() == "up"
    assert innocent.poll() is None
    innocent.kill()
    innocent.wait()


def _ask(url: str, question: str) -> str:
    with psycopg.connect(url) as connection:
        row = connection.execute(question.encode()).fetchone()
    assert row
    return str(row[0])


def _refused_without_password(url: str, password: str) -> None:
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(url.replace(f":{password}@", "@")).close()


def _send(port: int) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@docbook.test", "b@docbook.test", "Hi"
    message.set_content("Hello")
    with smtplib.SMTP("127.0.0.1", port) as client:
        client.send_message(message)
