"""Bad images and commands on the wires of perception and of the device: nothing is made of them, until good ones return."""

import math

import numpy as np
import pytest
from geometry_msgs.msg import PoseStamped
from sensor_msgs.msg import Image
from solo import solo, stamp_of

from tactus_nodes import convert, convert_seen, topics
from tactus_nodes.perception import Perception
from tactus_nodes.sim_device import SimDevice

START_S = 1.8e9  # the device's clock, far from this machine's: nobody may compare the two


def picture(value, stamp_s):
    return convert_seen.to_image(np.full((96, 96, 3), value, np.uint8), stamp_of(stamp_s))


def test_a_frozen_camera_gives_no_features_until_it_lives_again(bundle):
    with solo(Perception, "perception", bundle=bundle, image_frozen_s=0.1) as bench:
        features = bench.hear(topics.FEATURES)
        stamp_s = START_S

        def frozen():
            nonlocal stamp_s
            stamp_s += 0.1  # the same content under new stamps
            bench.send(topics.IMAGE, picture(7, stamp_s))
            return "same content" in bench.node.trouble

        bench.until(frozen, "the camera to count as frozen")
        count = bench.node.ticks
        for _ in range(5):
            bench.node.trouble = ""
            bench.send(topics.IMAGE, picture(7, stamp_s))
            bench.until(lambda: bench.node.trouble, "an image to be refused")
        assert bench.node.ticks == count
        bench.send(topics.IMAGE, picture(8, stamp_s))
        bench.until(lambda: bench.node.ticks == count + 1 and len(features) >= count + 1, "features of a new image")
        assert not bench.node.trouble


BAD_IMAGES = {
    "empty": Image(),
    "cut short": Image(height=96, width=96, step=288, encoding="rgb8", data=[0] * 5),
    "of one pixel": Image(height=1, width=1, step=3, encoding="rgb8", data=[1, 2, 3]),
}


@pytest.mark.parametrize("message", BAD_IMAGES.values(), ids=BAD_IMAGES)
def test_a_malformed_image_gives_no_features(bundle, message):
    with solo(Perception, "perception", bundle=bundle) as bench:
        bench.send(topics.IMAGE, message)
        bench.until(lambda: bench.node.trouble, "a complaint")
        assert bench.node.ticks == 0
        bench.send(topics.IMAGE, picture(8, START_S))
        bench.until(lambda: bench.node.ticks == 1, "features")


def hand_of(robot, names=None, value=0.0):
    message = convert.joint_state(names or robot.hand_joints)
    message.position = convert.joint_array(np.full(16, value))
    return message


def arm_of(value=0.4, w=1.0):
    message = PoseStamped()
    message.pose.position.x, message.pose.position.z, message.pose.orientation.w = value, 0.1, w
    return message


def bad_commands(robot):
    yield "arm of NaN", arm_of(math.nan), hand_of(robot)
    yield "arm of infinity", arm_of(math.inf), hand_of(robot)
    yield "arm without rotation", arm_of(w=0.0), hand_of(robot)
    yield "hand of NaN", arm_of(), hand_of(robot, value=math.nan)
    yield "hand of infinity", arm_of(), hand_of(robot, value=math.inf)
    yield "another hand", arm_of(), hand_of(robot, names=[f"other_{i}" for i in range(16)])


def test_the_device_obeys_no_bad_command_holds_when_good_ones_stop_and_obeys_again(robot):
    with solo(SimDevice, "sim_device", task="stub") as bench:
        bench.hear(topics.JOINT_STATES)

        def command(arm, hand):
            """Send a command again and again, as the guard does; return whether the device obeys."""
            bench.send(topics.HAND_COMMAND, hand)
            bench.send(topics.ARM_TARGET, arm)
            return not bench.node.trouble

        for name, arm, hand in bad_commands(robot):
            bench.until(lambda: command(arm_of(), hand_of(robot)), f"a good command, before '{name}', to be obeyed")
            bench.until(lambda arm=arm, hand=hand: not command(arm, hand), f"'{name}' to be refused, and the pose held")
            ticks = bench.node.ticks
            bench.until(lambda arm=arm, hand=hand, ticks=ticks: command(arm, hand) or bench.node.ticks > ticks + 20, "twenty ticks of it")
            assert "no fresh command" in bench.node.trouble, name
        bench.until(lambda: command(arm_of(), hand_of(robot)), "a good command to be obeyed")
        bench.until(lambda: bench.node.trouble, "silence to end in holding")
