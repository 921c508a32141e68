"""`python3 -m devstack COMMAND`: what every line of the Makefile calls, with any Python at hand."""

import sys

# Older interpreters get a sentence instead of a syntax error from an import below.
if sys.version_info < (3, 11):  # noqa: UP036
    sys.exit(
        "DocBook needs Python 3.11 or newer, and this is Python %d.%d. "  # noqa: UP031
        "Choose another one with: make run PYTHON=python3.12" % sys.version_info[:2]
    )

from devstack.bootstrap import enter_virtualenv
from devstack.refusals import Refusal

if __name__ == "__main__":
    try:
        enter_virtualenv(sys.argv[1:])
    except Refusal as refusal:
        sys.exit(str(refusal))
    except KeyboardInterrupt:
        sys.exit("\nStopped. The same command goes on from here.")
