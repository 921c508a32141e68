"""How the stack refuses: one clear sentence, never a traceback."""


class Refusal(Exception):
    """The stack cannot continue. The message is for the person at the terminal."""


class Interrupted(Exception):
    """Somebody pressed Ctrl-C or sent SIGTERM: everything started so far has to stop."""
