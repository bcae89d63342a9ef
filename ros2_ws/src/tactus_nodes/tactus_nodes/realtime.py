"""What a process can ask of the operating system for its deadlines' sake."""

import contextlib
import gc
import os
from pathlib import Path


def request_fifo(priority: int) -> str | None:
    """Put all threads of this process under SCHED_FIFO; return None, or why the system refused.

    All threads: the middleware's receiving threads are part of the way that a sample takes.
    """
    try:
        for task in Path("/proc/self/task").iterdir():
            os.sched_setscheduler(int(task.name), os.SCHED_FIFO, os.sched_param(priority))
    except PermissionError:
        return (
            f"SCHED_FIFO {priority} was refused: this user may not ask for real-time scheduling. Going on without it; latency will suffer "
            "under load. Grant it with 'rtprio 98' in /etc/security/limits.conf, or `docker run --cap-add=sys_nice`."
        )
    return None


def go_last() -> None:
    """Where this process runs under SCHED_FIFO, have the calling thread, and those that it starts from now on, go after all others that do.

    The middleware's threads keep their priority: what arrives is taken from the wire in time, however long it then waits.
    """
    if is_fifo():
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))


def go_next() -> None:
    """Where this process runs under SCHED_FIFO, have the calling thread go just after the process' others.

    Among equals nobody gives way: what arrives for the others would wait until this thread does.
    """
    if is_fifo():
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(max(1, os.sched_getparam(0).sched_priority - 1)))


def is_fifo() -> bool:
    """Return whether the calling thread runs under SCHED_FIFO."""
    return os.sched_getscheduler(0) == os.SCHED_FIFO


def give_way() -> None:
    """Have the niceness that this process was started with count beside those that were launched with it.

    Where the kernel shares the processor between sessions first (autogroup), niceness counts within one alone, and each process that is
    launched leads a session of its own: that session gets the same.
    """
    if os.getsid(0) == os.getpid():
        with contextlib.suppress(OSError):  # this kernel does no such thing
            Path("/proc/self/autogroup").write_text(str(os.nice(0)))


def freeze_garbage() -> None:
    """Take everything allocated so far out of the garbage collector's sight: a full collection would cost tens of milliseconds."""
    gc.collect()
    gc.freeze()
