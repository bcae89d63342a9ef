"""The last seconds in memory: never more of them than allowed, all that is allowed, and what was asked for is written whole."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mcap.reader import make_reader
from rclpy.qos import QoSProfile

from tactus_core.datasets.bag import DROPPED
from tactus_nodes.disk import Disk
from tactus_nodes.ring import Ring

SPAN_S, MOST_BYTES = 2.0, 300
PATIENCE_S = 20.0
messages = st.lists(st.tuples(st.integers(0, 700_000_000), st.integers(1, 120)), min_size=1, max_size=80)


def read(folder):
    (file,) = folder.glob("*.mcap")
    with file.open("rb") as stream:
        reader = make_reader(stream)
        dropped = {
            name: int(count) for record in reader.iter_metadata() if record.name == DROPPED for name, count in record.metadata.items()
        }
        return [(message.log_time, message.data) for _, _, message in reader.iter_messages()], dropped


@given(messages)
@settings(max_examples=15, deadline=None)
def test_memory_is_bounded_and_holds_the_newest(told):
    with tempfile.TemporaryDirectory() as name:
        ring, now_ns, all_of_them = Ring(Path(name) / "bag", SPAN_S, MOST_BYTES, lambda text: None), 0, []
        ring.add_topic("/said", "std_msgs/msg/String", QoSProfile(depth=1), "RIHS01_0")
        for gap_ns, size in told:
            now_ns += gap_ns
            all_of_them.append((now_ns, bytes(size)))
            ring.put("/said", *all_of_them[-1])
            assert ring.span_s <= SPAN_S
        first = len(all_of_them)
        while (
            first and all_of_them[first - 1][0] >= now_ns - SPAN_S * 1e9 and sum(len(d) for _, d in all_of_them[first - 1 :]) <= MOST_BYTES
        ):
            first -= 1
        disk = ring.keep()
        ring.put("/said", now_ns + 1, b"later")
        ring.close()
        assert disk.done
        assert read(disk.folder) == (all_of_them[first:], {})


def test_a_bag_says_how_many_messages_of_each_topic_it_lacks(tmp_path):
    disk = Disk(tmp_path / "bag", 1, lambda text: None)
    for name in ("/a", "/b"):
        disk.add_topic(name, "std_msgs/msg/String", QoSProfile(depth=1), "RIHS01_0")
    with disk._lock:  # the disk does not keep up
        for number in range(50):
            disk.put("/a" if number % 5 else "/b", number, b"\0\1\0\0")
    disk.close()
    written, dropped = read(tmp_path / "bag")
    assert len(written) + sum(dropped.values()) == 50
    assert dropped == disk.dropped
    assert set(dropped) == {"/a", "/b"}


def test_a_ring_without_room_says_so(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        Ring(tmp_path / "file" / "bag", 1.0, 100, lambda text: None).keep()
