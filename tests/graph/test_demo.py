"""`tactus demo` with the shipped policy: what it promises is there, and Ctrl-C leaves the recording and no process."""

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest

from tactus_core.errors import BundleError
from tactus_core.policy.bundle import find_bundle

pytest.importorskip("pybullet", reason="the demo is simulated: pip install -r requirements/sim.txt")


@pytest.fixture(scope="module", autouse=True)
def _shipped():
    try:
        find_bundle("wipe-rdp")
    except BundleError as error:
        pytest.skip(str(error))


def start(folder, episodes, mark=""):
    command = [sys.executable, "-m", "tactus_cli", "demo", "--episodes", str(episodes), "--out", str(folder), "--no-realtime"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=os.environ | {"TACTUS_MARK": mark})


def marked(mark):
    """Return the processes whose environment holds `mark`."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if mark.encode() in path.read_bytes():
                found.append(path.parent.name)
        except OSError:
            continue
    return found


def test_an_episode_gives_every_promised_file(tmp_path):
    folder = tmp_path / "demo"
    demo = start(folder, 1)
    output, _ = demo.communicate(timeout=240)
    assert demo.returncode == 0, output
    summary = json.loads((folder / "summary.json").read_text())
    assert {"task", "bundle", "episodes", "success_rate", "interval", "parts", "wall_s", "latency", "files"} <= set(summary)
    assert summary["latency"]["touch_to_command_ms"]["p50"] > 0.0
    assert set(summary["files"]) == {"bag", "logs", "summary", "force-200000", "latency", "video"}
    assert all((folder / path).exists() for path in summary["files"].values())
    assert (folder / "bag" / "metadata.yaml").exists()
    assert summary["outcomes"][0]["seed"] == 200_000


def test_interrupt_keeps_the_recording_and_leaves_no_process(tmp_path):
    folder, mark = tmp_path / "demo", uuid.uuid4().hex
    demo = start(folder, 3, mark)
    bag = folder / "bag" / "bag_0.mcap"
    deadline_s = time.monotonic() + 90.0
    while not (bag.exists() and bag.stat().st_size > 500_000):
        assert demo.poll() is None, demo.communicate()[0]
        assert time.monotonic() < deadline_s
        time.sleep(0.1)
    demo.send_signal(signal.SIGINT)
    output, _ = demo.communicate(timeout=30)
    assert demo.returncode == 130, output
    assert "Traceback" not in output
    assert (folder / "bag" / "metadata.yaml").exists()
    assert not marked(mark)
