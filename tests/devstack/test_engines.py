import os
import smtplib
import subprocess
from email.message import EmailMessage
from pathlib import Path

import psycopg
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from devstack.engines import running_engines
from devstack.interrupts import Interrupts
from devstack.layout import ROOT
from devstack.ports import LOOPBACK, free_port
from devstack.postgres import Postgres, binary
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


def test_kept_data_are_served_by_a_role_that_owns_nothing(tmp_path):
    with (
        only_runner(tmp_path, port=free_port(), interrupts=Interrupts()) as workshop,
        running_engines(workshop=workshop) as engines,
    ):
        serving = engines.environment["DATABASE_URL"]
        owning = engines.environment["MIGRATION_DATABASE_URL"]
        assert _ask(serving, "SELECT current_user") == "docbook_app"
        assert _ask(owning, "SELECT current_user") == "docbook_owner"
        assert _ask(owning, "SELECT has_schema_privilege('public', 'CREATE')") == "True"
        assert _ask(serving, "SELECT has_schema_privilege('public', 'CREATE')") == "False"


def test_script_of_the_containers_sets_passwords_of_any_characters(tmp_path):
    with (
        only_runner(tmp_path, port=free_port(), interrupts=Interrupts()) as workshop,
        running_engines(workshop=workshop, durable=False) as engines,
    ):
        assert engines.postgres
        (tmp_path / "owner").write_text("it's @ \\ long/one\n")
        for app_password in ("first", "second"):
            _run_roles_script(engines.postgres, app=app_password, owner_file=tmp_path / "owner")
            place = {"host": LOOPBACK, "port": engines.postgres.port, "dbname": "docbook"}
            psycopg.connect(user="docbook_app", password=app_password, **place).close()
            owner = {"user": "docbook_owner", "password": "it's @ \\ long/one"}
            psycopg.connect(**owner, **place).close()
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(user="docbook_app", password="first", **place)
    assert "second" not in (tmp_path / "logs" / "postgres.log").read_text()


def _run_roles_script(postgres: Postgres, *, app: str, owner_file: Path) -> None:
    environment = {
        "PATH": f"{binary('psql').parent}:{os.environ['PATH']}",
        "PGHOST": LOOPBACK,
        "PGPORT": str(postgres.port),
        "PGUSER": "docbook",
        "PGDATABASE": "docbook",
        "PGPASSWORD": postgres.password,
        "OWNER_PASSWORD_FILE": str(owner_file),
        "APP_PASSWORD": app,
    }
    script = ROOT / "deploy" / "postgres" / "roles.sh"
    subprocess.run(["sh", str(script)], env=environment, check=True)


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
