"""The latency of a camera, from messages of a robot that moves by starts and stops."""

import numpy as np
import pytest

from tactus_cli.lateness import MotionListener
from tactus_core.errors import DataError
from tactus_core.perception.lag import lag
from tactus_nodes import convert, streams, topics
from tactus_nodes.client import GraphSession

LATE_S, SPEEDUP = 0.12, 4.0  # stamps run faster than the test


def test_a_camera_whose_stamps_are_late_is_found_out(robot):
    random = np.random.default_rng(1)
    pattern = random.uniform(0.0, 255.0, 1500)
    knots = np.cumsum(random.choice([0.0, 0.0, 0.15, 0.3], 60))

    def place(at_s):
        return float(np.interp(at_s, 0.2 * np.arange(60), knots))

    with GraphSession() as session:
        out = {topic: session.node.create_publisher(topic.type, topic.name, topic.qos) for topic in (topics.JOINT_STATES, topics.IMAGE)}
        told = {"joints": 0, "frames": 0}

        def tell_joints():
            told["joints"] += 1
            at_s = 0.005 * SPEEDUP * told["joints"]
            out[topics.JOINT_STATES].publish(
                streams.joint_states(robot.arm_joints, np.append(place(at_s), np.zeros(6)), None, convert.to_stamp(100.0 + at_s))
            )

        def tell_image():
            told["frames"] += 1
            at_s = 0.01 * SPEEDUP * told["frames"]
            row = np.interp(np.arange(64) + 100.0 * place(at_s), np.arange(1500), pattern)
            image = np.repeat(np.tile(row, (48, 1))[:, :, None], 3, axis=2).astype(np.uint8)
            out[topics.IMAGE].publish(streams.image(image, convert.to_stamp(100.0 + at_s + LATE_S), "camera_optical"))

        session.node.create_timer(0.005, tell_joints)
        session.node.create_timer(0.01, tell_image)
        listener = MotionListener(session, "camera")
        with pytest.raises(DataError, match="messages of joint_states"):
            listener.joints()
        session.listen_for(2.5)
    assert lag(listener.joints(), listener.sensor(), 0.3).lag_s == pytest.approx(LATE_S, abs=0.03)
