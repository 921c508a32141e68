"""A client process that books as people do: each waits for the mail with the code, and then for the
mail that confirms the visit.

Started as `python -m proof.patient_booker PLAN MAILDIR NUMBER`; prints what it did as JSON.
"""

import json
import sys
import time
from pathlib import Path

from devstack.mailsink import arrivals_file, read_arrivals
from proof.booker import BookingPlan, Desk, WrongAnswer
from proof.client import NoAnswer

# A mail that takes longer is a broken promise. The client stops waiting, and says so.
PATIENCE = 90.0
LOOK = 0.005


class Postman:
    """What has come to the sink since the last look."""

    def __init__(self, maildir: Path) -> None:
        self._file = arrivals_file(maildir).open()
        self._file.seek(0, 2)
        self._half = ""

    def look(self) -> set[str]:
        """The Message-IDs of new mails."""
        lines = (self._half + self._file.read()).splitlines(keepends=True)
        self._half = lines.pop() if lines and not lines[-1].endswith("\n") else ""
        return {each.message_id for each in read_arrivals(lines)}


class Person:
    """Books one visit after another. `attempt` is empty while they have none."""

    def __init__(self, plan: BookingPlan) -> None:
        self.desk = Desk(plan)
        self.attempt = ""
        self.is_confirmed = False
        self.since = 0.0

    @property
    def waits_for(self) -> str:
        """The Message-ID of a mail."""
        mail = f"confirmed-{self.attempt}-1" if self.is_confirmed else f"code-{self.attempt}-0"
        return f"<{mail}@docbook>" if self.attempt else ""

    def wait(self, attempt: str, *, is_confirmed: bool) -> None:
        self.attempt, self.is_confirmed, self.since = attempt, is_confirmed, time.monotonic()

    def leave(self) -> None:
        self.attempt = ""

    def is_tired(self) -> bool:
        return bool(self.attempt) and time.monotonic() > self.since + PATIENCE


class Crowd:
    """All people of one client process. At the plan's end nobody begins another booking, but
    everybody is still told about theirs.
    """

    def __init__(self, plan: BookingPlan, *, maildir: Path, number: int) -> None:
        self.plan = plan
        self.people = [Person(plan) for _ in range(plan.connections)]
        self.tasks = plan.tasks(number)
        self.postman = Postman(maildir)
        self.taken = self.booked = 0
        self.wrong: list[str] = []

    def work(self) -> None:
        while time.time() < self.plan.begin_at:  # all processes at once
            time.sleep(0.001)
        while self._turn():
            pass

    def _turn(self) -> bool:
        """Whether somebody is still busy."""
        arrived = self.postman.look()
        come = [each for each in self.people if each.waits_for in arrived]
        confirming = [each for each in come if not each.is_confirmed]
        for person in come:
            if person.is_confirmed:
                person.leave()
        for person in filter(Person.is_tired, self.people):
            self.wrong.append(f"no mail {person.waits_for}")
            person.leave()
        for person in confirming:
            person.desk.confirm(person.attempt)
        holding = [each for each in self.people if not each.attempt and self._hold(each)]
        for person in holding:
            answer = self._answer(person)
            person.wait(answer.get("attemptId", ""), is_confirmed=False)
        for person in confirming:
            answer = self._answer(person)
            self.booked += bool(answer)
            person.wait(answer.get("id", ""), is_confirmed=True)
        if not (holding or confirming):
            time.sleep(LOOK)
        return bool(holding) or any(each.attempt for each in self.people)

    def _hold(self, person: Person) -> bool:
        if time.time() > self.plan.begin_at + self.plan.seconds:
            return False
        task = next(self.tasks, None)
        if task is None:  # a fast machine has booked everything
            return False
        self.taken += 1
        person.desk.hold(task)
        return True

    def _answer(self, person: Person) -> dict[str, str]:
        """Nothing if it is a wrong one."""
        try:
            answer = person.desk.client.receive()
            person.desk.check(answer)
        except NoAnswer:
            self.wrong.append("no answer")
            return {}
        except WrongAnswer as wrong:
            self.wrong.append(str(wrong))
            return {}
        return answer.data


def main(plan: BookingPlan, *, maildir: Path, number: int) -> dict[str, object]:
    crowd = Crowd(plan, maildir=maildir, number=number)
    crowd.work()
    return {"taken": crowd.taken, "booked": crowd.booked, "wrong": crowd.wrong[:20]}


if __name__ == "__main__":
    chosen, box, which = sys.argv[1:]
    print(json.dumps(main(BookingPlan.read(Path(chosen)), maildir=Path(box), number=int(which))))
