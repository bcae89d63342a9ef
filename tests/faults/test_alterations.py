"""What faults do to messages, on serialised messages as they travel; and the clock that steps for one process."""

import math
import random
import subprocess
import sys

import numpy as np
import pytest
from rclpy.serialization import deserialize_message, serialize_message
from sensor_msgs.msg import JointState

from tactus_cli.faults.alterations import ALTERATIONS, floats
from tactus_cli.faults.clock import Clocks
from tactus_cli.faults.records import KEPT, TAPPED, pack, unpack
from tactus_cli.launching.process import Process
from tactus_nodes import convert, convert_seen, topics
from tactus_nodes.topics import Topic


def joints(i, stamp_s=100.0):
    message = JointState(name=["a", "b"], position=[0.1 * i, 0.2 * i], velocity=[1.0, 2.0])
    message.header.stamp = convert.to_stamp(stamp_s + 0.005 * i)
    return serialize_message(message)


def altered(name, *messages, topic: Topic = topics.JOINT_STATES, seed=1):
    alteration = ALTERATIONS[name](topic.type, random.Random(seed))
    return [[deserialize_message(data, topic.type) for data in alteration(message)] for message in messages]


def stamps(rows):
    return [round(convert.seconds(m.header.stamp), 3) for row in rows for m in row]


def test_frozen_repeats_the_content_with_new_stamps():
    rows = altered("frozen", joints(1), joints(2), joints(3))
    assert [list(row[0].position) for row in rows] == [[0.1, 0.2]] * 3
    assert stamps(rows) == [100.005, 100.01, 100.015]


@pytest.mark.parametrize("seed", range(8))
def test_not_finite_breaks_one_number_that_is_read(seed):
    rows = altered("not_finite", joints(1), joints(2), seed=seed)
    broken = [[not math.isfinite(value) for value in row[0].position] for row in rows]
    assert sum(broken[0]) == 1
    assert broken[0] == broken[1]
    assert list(rows[0][0].velocity) == [1.0, 2.0]


def test_not_finite_breaks_a_force_of_one_taxel():
    cloud = convert_seen.taxel_cloud(4, 3)
    convert_seen.put_taxels(np.zeros((4, 3, 6), dtype=np.float32), cloud)
    (row,) = altered("not_finite", serialize_message(cloud), topic=topics.TACTILE)
    taxels = convert_seen.taxels(row[0])
    assert (~np.isfinite(taxels)).sum() == 1
    assert np.isfinite(taxels[:, :, :3]).all()


def test_order_number_and_time():
    assert stamps(altered("swapped", joints(1), joints(2), joints(3), joints(4))) == [100.01, 100.005, 100.02, 100.015]
    assert stamps(altered("duplicated", joints(1), joints(2))) == [100.005, 100.005, 100.01, 100.01]
    assert stamps(altered("silent", joints(1))) == []
    held = altered("held_back", *(joints(i) for i in range(50)))
    assert [len(row) for row in held].count(0) == 49
    assert max(len(row) for row in held) == 41
    assert {abs(round(s - 100.005)) for s in stamps(altered("of_another_hour", joints(1)))} == {3600}


def test_garbage_comes_beside_what_is_true():
    (row,) = altered("garbage", joints(1))
    assert list(row[0].position) == [0.1, 0.2]
    assert list(row[1].position) != [0.1, 0.2]
    assert list(row[1].name) == ["a", "b"]


@pytest.mark.parametrize("topic", [topic for group in TAPPED.values() for topic in group], ids=lambda topic: topic.name)
def test_every_alteration_of_every_tapped_type_can_be_read_again(topic):
    message = topic.type()
    if topic is topics.TACTILE:
        message = convert_seen.taxel_cloud(4, 3)
        convert_seen.put_taxels(np.zeros((4, 3, 6), dtype=np.float32), message)
    elif topic is topics.JOINT_STATES:
        message = JointState(name=["a"], position=[0.0])
    data = serialize_message(message)
    for name in ALTERATIONS:
        if (name == "malformed") == (topic is topics.IMAGE) and (name != "wrong_names" or topic is topics.JOINT_STATES):
            altered(name, data, data, topic=topic)


def test_floats_of_a_proposal_are_all_of_its_pose_and_hand():
    message = topics.PROPOSAL.type(hand_target_rad=[0.0] * 3)
    assert len(list(floats(message))) == 7 + 3


def test_records_survive_the_way_to_the_other_process():
    records = [(name, 12.5 + i, bytes([i]) * i) for i, name in enumerate(KEPT)]
    assert list(unpack(pack(records))) == records


def test_the_clock_steps_for_one_process_and_waits_go_on(tmp_path):
    clocks = Clocks(tmp_path)
    code = (
        "import sys, threading, time\n"
        "print(time.time(), flush=True)\n"
        "sys.stdin.readline()\n"
        "print(time.time(), flush=True)\n"
        "print(threading.Event().wait(0.01), flush=True)\n"
    )
    process = Process("guard", (sys.executable, "-c", code), {}, None, (), False, 0.0, 0, False, 1.0, 1.0)
    changed = clocks.apply(process)
    child = subprocess.Popen(changed.command, env=dict(changed.environment), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    before_s = float(child.stdout.readline())
    clocks.step("guard", -3600.0)
    child.stdin.write("\n")
    child.stdin.flush()
    after_s = float(child.stdout.readline())
    assert child.stdout.readline() == "False\n"
    assert child.wait(10) == 0
    assert -3600.0 <= after_s - before_s < -3500.0


def test_a_process_without_a_stepped_clock_is_left_alone(tmp_path):
    process = Process("perception", ("true",), {}, None, (), False, 0.0, 0, False, 1.0, 1.0)
    assert Clocks(tmp_path).apply(process) is process
