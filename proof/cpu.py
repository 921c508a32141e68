"""The CPU time of each part of a stack, as the operating system counts it."""

from collections.abc import Mapping

import psutil

from proof.stack import Stack


def seconds_by_part(stack: Stack) -> dict[str, float]:
    """User and system time since each part began, with all its processes, including ended ones."""
    running = {name: part.process for name, part in stack.parts.items() if part.process}
    roots = {name: process.popen.pid for name, process in running.items()}
    roots["postgres"] = stack.database_process
    return {name: seconds_of(pid) for name, pid in roots.items()}


def spent(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    return {name: after[name] - seconds for name, seconds in before.items()}


def seconds_of(pid: int) -> float:
    """User and system time of a process and all that it has started."""
    root = psutil.Process(pid)
    return sum(_of_process(each) for each in (root, *root.children(recursive=True)))


def _of_process(process: psutil.Process) -> float:
    """With its children that have ended; nothing for a process that is just ending."""
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system + times.children_user + times.children_system)
