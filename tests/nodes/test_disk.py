"""Recording on a disk that fills up, and is cleared again; on folders that are there already."""

import resource
import subprocess
import sys
import time
from pathlib import Path

import pytest
from mcap.reader import make_reader

from tactus_nodes.bag import BagWriter
from tactus_nodes.disk import free_folder

PATIENCE_S = 20.0


@pytest.fixture
def writer(tmp_path):
    """Return a process that records into tmp_path/bag."""
    command = [sys.executable, str(Path(__file__).with_name("disk_writer.py")), str(tmp_path / "bag")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        yield process
        process.kill()


def say(writer, text):
    writer.stdin.write(f"{text}\n")
    writer.stdin.flush()


def until(writer, word, lost_more_than=-1):
    """Give messages until the writer's answer begins with `word`, and it has lost more than so many; return how many."""
    deadline_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline_s:
        for _ in range(200):
            say(writer, "a message")
        say(writer, "how?")
        answer = writer.stdout.readline()
        lost = int(answer.split()[-1])
        if answer.startswith(word) and lost > lost_more_than:
            return lost
    raise AssertionError(f"waited {PATIENCE_S} s for '{word}', the last answer was '{answer}'")


def limit(writer, size):
    _, hard = resource.prlimit(writer.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(writer.pid, resource.RLIMIT_FSIZE, (hard if size is None else size, hard))


def count(folder):
    (file,) = folder.glob("*.mcap")
    with file.open("rb") as stream:
        return sum(1 for _ in make_reader(stream).iter_messages())


def test_recording_goes_on_in_a_new_bag_once_there_is_room(writer, tmp_path):
    assert until(writer, "writes") == 0
    limit(writer, 0)
    lost = until(writer, "recording to", lost_more_than=0)
    until(writer, "recording to", lost_more_than=lost)
    limit(writer, None)
    before = until(writer, "writes")
    assert until(writer, "writes") == before, "nothing is lost any more"
    writer.stdin.close()
    assert writer.wait(PATIENCE_S) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bag", "bag_2"], "no folder is left of the attempts in between"
    assert count(tmp_path / "bag_2") >= 200


def test_a_folder_that_is_there_is_not_touched(tmp_path):
    assert free_folder(tmp_path / "bag") == tmp_path / "bag"
    BagWriter(tmp_path / "bag").close()
    (tmp_path / "bag_2").mkdir()
    assert free_folder(tmp_path / "bag") == tmp_path / "bag_3"
