"""How the stack says no: one clear sentence, never a traceback."""


class Refusal(Exception):
    """The stack cannot go on; the message is written for the person at the terminal."""


class Interrupted(Exception):
    """Somebody pressed Ctrl-C or sent SIGTERM; everything started so far has to stop."""
