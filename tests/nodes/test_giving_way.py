"""Niceness counts where it was asked for, also where the kernel shares the processor between sessions."""

import subprocess
import sys
from pathlib import Path

import pytest

AUTOGROUP = Path("/proc/self/autogroup")


@pytest.mark.skipif(not AUTOGROUP.exists(), reason="this kernel does not share the processor between sessions (CONFIG_SCHED_AUTOGROUP)")
@pytest.mark.parametrize(("leads", "gets"), [(True, "nice 7"), (False, "nice 0")])
def test_who_leads_a_session_gives_it_the_niceness_that_it_was_started_with(leads, gets):
    says = f"from tactus_nodes.realtime import give_way; give_way(); print(open('{AUTOGROUP}').read())"
    command = ["nice", "-n", "7", sys.executable, "-c", says]
    if not leads:  # somebody else does, and keeps what it has
        command = [sys.executable, "-c", f"import subprocess; subprocess.run({command!r}, check=True)"]
    assert gets in subprocess.run(command, check=True, capture_output=True, text=True, start_new_session=True).stdout


@pytest.mark.parametrize(("own", "step", "gets"), [(50, "go_next", 49), (1, "go_next", 1), (50, "go_last", 1)])
def test_with_real_time_scheduling_a_thread_steps_behind_those_of_its_process(own, step, gets):
    says = f"""
import os, threading
from tactus_nodes import realtime
refused = realtime.request_fifo({own})
def aside():
    realtime.{step}()
    print("refused" if refused else os.sched_getparam(0).sched_priority)
thread = threading.Thread(target=aside)
thread.start()
thread.join()
print(os.sched_getparam(0).sched_priority)
"""
    said = subprocess.run([sys.executable, "-c", says], check=True, capture_output=True, text=True).stdout.split()
    if said[0] == "refused":
        pytest.skip("SCHED_FIFO is refused here")
    assert said == [str(gets), str(own)]


@pytest.mark.parametrize("step", ["go_next", "go_last"])
def test_without_real_time_scheduling_no_thread_gets_any(step):
    says = f"import os; from tactus_nodes import realtime; realtime.{step}(); print(os.sched_getscheduler(0) == os.SCHED_OTHER)"
    assert subprocess.run([sys.executable, "-c", says], check=True, capture_output=True, text=True).stdout.strip() == "True"
