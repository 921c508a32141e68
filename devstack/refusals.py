"""How the stack says no: one clear sentence, never a traceback."""


class Refusal(Exception):  # noqa: N818  nothing is broken, somebody is told no
    """The stack cannot go on; the message is written for the person at the terminal."""


class Interrupted(Exception):  # noqa: N818
    """Somebody pressed Ctrl-C or sent SIGTERM; everything started so far has to stop."""
