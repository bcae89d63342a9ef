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
