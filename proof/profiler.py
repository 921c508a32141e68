"""Where web processes spend their time: py-spy samples them from outside while they work.

In one of two workers, it samples the thread that holds the interpreter's lock: that is the work. In
the other, it samples all threads that have a request, which also shows what they wait for.
"""

import re
import signal
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import psutil

from devstack.layout import ROOT
from devstack.processes import Process, Program, stop
from devstack.refusals import Refusal
from proof.areas import Call, Profile
from proof.stack import Stack

LOOKS_A_SECOND = 100  # the process stands still during each
_SPY = Path(sys.executable).with_name("py-spy")
_HAS_REQUEST = "(docbook/rsgi.py)"
# Frames are separated by semicolons, and end with their file in brackets.
_FRAME = re.compile(r"(?<=\));")
_FOLDER = re.compile(
    rf"\((?:[^()]*/site-packages/|[^()]*/lib/python3\.\d+/|{re.escape(str(ROOT))}/)"
)


@dataclass(frozen=True)
class Spies:
    """The two samplers. Start them before a load and stop them after it."""

    working: Process
    present: Process

    @classmethod
    def start(cls, stack: Stack, *, name: str) -> "Spies":
        first, second = workers(stack)[:2]
        return cls(
            working=_start(stack, first, "--gil", name=f"{name}-working"),
            present=_start(stack, second, "--idle", name=f"{name}-present"),
        )

    def end(self) -> Profile:
        stop([self.working, self.present])
        present = _calls_of(self.present)
        return Profile(
            working=_calls_of(self.working),
            present=Counter({call: n for call, n in present.items() if _has_request(call)}),
            late=sum(
                each.log.read_text().count("behind in sampling")
                for each in (self.working, self.present)
            ),
        )


def require_sight(stack: Stack) -> None:
    """Raises Refusal now, not after minutes of measuring, if py-spy may not sample."""
    process = str(workers(stack)[0].pid)
    program = Program(name="py-spy", command=[_SPY, "dump", "--pid", process])
    if stack.workshop.run(program):
        words = (stack.workshop.logs / "py-spy.log").read_text()
        raise Refusal(
            "py-spy may not look into the web processes: run this as root, or set "
            f"kernel.yama.ptrace_scope to 0.\n{words[-1000:]}"
        )


def read(raw: str) -> Counter[Call]:
    """Reads the output of py-spy: a line for each call, and how often it was sampled. Idle threads
    of the server are in no call and are left out.
    """
    calls: Counter[Call] = Counter()
    for line in raw.splitlines():
        frames, _, number = line.rpartition(" ")
        if frames:
            calls[tuple(_FOLDER.sub("(", frame) for frame in _FRAME.split(frames))] += int(number)
    return calls


def workers(stack: Stack) -> list[psutil.Process]:
    """The server's processes that answer requests. Their supervisor is left out."""
    web = stack.web.process
    children = psutil.Process(web.popen.pid).children() if web else []
    workers = [each for each in children if "worker" in " ".join(each.cmdline())]
    if len(workers) < 2:
        raise Refusal("The web server does not run with two workers.")
    return workers


def _start(stack: Stack, worker: psutil.Process, option: str, *, name: str) -> Process:
    file = stack.workshop.folder / f"{name}.raw"
    looks = ("--rate", str(LOOKS_A_SECOND), "--nolineno", "--full-filenames", option)
    output = ("--format", "raw", "--output", str(file))
    command = [str(_SPY), "record", "--pid", str(worker.pid), *looks, *output]
    program = Program(name=name, command=command, stop_signal=signal.SIGINT, patience=30.0)
    return stack.workshop.start(program)


def _calls_of(spy: Process) -> Counter[Call]:
    file = Path(spy.program.command[-1])
    if not file.exists():
        raise Refusal(f"py-spy has seen nothing:\n{spy.last_words()}")
    return read(file.read_text())


def _has_request(call: Call) -> bool:
    return any(_HAS_REQUEST in frame for frame in call)
