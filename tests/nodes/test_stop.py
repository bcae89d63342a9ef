"""When a process has to end: a parent that is gone counts as an interrupt."""

import subprocess
import sys

CODE = """
import time
from tactus_nodes.stop import StopRequest
stop = StopRequest(grace_s=0.1)
print("up", flush=True)
deadline_s = time.monotonic() + 20.0
while not stop.due() and time.monotonic() < deadline_s:
    time.sleep(0.01)
print("ended" if stop.due() else "orphaned", flush=True)
"""


def test_process_ends_when_its_parent_is_killed():
    # exec would make the shell the process itself; the second command keeps it a parent
    parent = subprocess.Popen(["sh", "-c", '"$0" -c "$1"; true', sys.executable, CODE], stdout=subprocess.PIPE, text=True)
    assert parent.stdout.readline() == "up\n"
    parent.kill()
    assert parent.stdout.read() == "ended\n"
    parent.wait()
