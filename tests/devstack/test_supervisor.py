import sys

import pytest

from devstack.interrupts import Interrupts
from devstack.processes import Program, Workshop
from devstack.refusals import Refusal
from devstack.supervisor import Supervisor, supervised
from tests.devstack.running import eventually


@pytest.fixture
def workshop(tmp_path) -> Workshop:
    workshop = Workshop(folder=tmp_path, interrupts=Interrupts())
    workshop.open()
    return workshop


def python(name: str, code: str) -> Program:
    return Program(name=name, command=[sys.executable, "-c", code], patience=2.0)


def test_a_service_that_dies_is_named_with_its_last_words_and_started_again(workshop, capsys):
    with supervised(workshop=workshop, engines=[]) as supervisor:
        supervisor.start(python("worker", "raise SystemExit('out of coffee')"))
        (service,) = supervisor.services
        first = service.process
        assert eventually(lambda: _looked_after(supervisor) and service.process is not first)

    said = capsys.readouterr().out
    assert "worker stopped with exit code 1" in said
    assert "out of coffee" in said
    assert "starting again in 1 s" in said


def test_the_pause_grows_with_every_failure(workshop):
    with supervised(workshop=workshop, engines=[]) as supervisor:
        supervisor.start(python("worker", "raise SystemExit(1)"))
        (service,) = supervisor.services
        pauses = []
        while len(pauses) < 3:
            expected = len(pauses) + 1
            assert eventually(
                lambda n=expected: _looked_after(supervisor) and service.failures == n
            )
            pauses.append(service.resume_at - service.ended_at)
            service.resume_at = 0.0
    assert pauses == [1.0, 2.0, 4.0]


def test_an_engine_that_dies_ends_the_run(workshop):
    engine = workshop.start(python("postgres", "raise SystemExit('PANIC: no space left')"))
    assert eventually(engine.has_ended)
    supervisor = Supervisor(workshop=workshop, engines=[engine])

    with pytest.raises(
        Refusal, match=r"postgres stopped(.|\n)*no space left(.|\n)*everything was stopped"
    ):
        supervisor.look_after_all()


def test_a_service_that_ends_before_the_first_page_is_refused_with_its_last_words(workshop):
    with supervised(workshop=workshop, engines=[]) as supervisor:
        supervisor.start(python("web", "raise SystemExit('no module named docbook')"))
        (service,) = supervisor.services
        assert service.process
        assert eventually(service.process.has_ended)

        with pytest.raises(Refusal, match=r"web did not start(.|\n)*no module named docbook"):
            supervisor.refuse_early_end()


def _looked_after(supervisor: Supervisor) -> bool:
    supervisor.look_after_all()
    return True
