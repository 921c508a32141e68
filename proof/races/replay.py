"""One schedule again, statement by statement: `python -m proof.races.replay MEETING SCHEDULE`."""

import logging
import sys

import django
from django.db import connection
from django.test.utils import setup_test_environment

from devstack.console import say
from proof.races.schedules import Schedule

django.setup()

# Models, once Django is set up.
from proof.races.explorer import exploring  # noqa: E402
from proof.races.meetings import MEETINGS  # noqa: E402


def main(name: str, schedule: str) -> int:
    meeting = next((each for each in MEETINGS if each.name == name), None)
    if meeting is None:
        say("There are these meetings:")
        say("\n".join(f"  {each.name}" for each in MEETINGS))
        return 1
    setup_test_environment()
    logging.disable()
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    with exploring() as explorer:
        end, trace = explorer.play(meeting, Schedule.read(schedule))
    say(f"{meeting.first:<50}{meeting.second}\n")
    say("\n".join(trace.story()))
    say(f"\n{end}\n")
    say("\n".join(f"  {line}" for line in end.picture))
    connection.creation.destroy_test_db(connection.settings_dict["NAME"], verbosity=0)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
