"""One real node inside the test's process, and a peer that talks to it over DDS: what is tested is what the node makes of messages."""

import contextlib
import gc
import os
import time

import numpy as np
import rclpy
from builtin_interfaces.msg import Time
from geometry_msgs.msg import WrenchStamped
from rclpy.context import Context
from rclpy.lifecycle import TransitionCallbackReturn

from tactus_nodes import convert, convert_seen, topics
from tactus_nodes.executor import LeanExecutor

PATIENCE_S = 10.0


class Solo:
    """`node` works; `peer` publishes to it and hears it."""

    def __init__(self, node, peer):
        self.node, self.peer = node, peer
        self.peer_loop = LeanExecutor(peer)
        self._publishers = {}

    def hear(self, topic):
        """Return the list that takes what the node publishes on a topic, once the two have found each other."""
        heard = []
        subscription = self.peer.create_subscription(topic.type, topic.name, heard.append, topic.deeper(100).qos)
        self.until(subscription.get_publisher_count, f"a publisher of {topic.name}")
        return heard

    def send(self, topic, *messages):
        """Publish messages, one after the other; each is seen before the next one goes out."""
        if topic.name not in self._publishers:
            made = self._publishers[topic.name] = self.peer.create_publisher(topic.type, topic.name, topic.qos)
            (heard_by,) = [s for s in self.node.subscriptions if s.topic_name == made.topic_name]
            # Both sides: what is best effort is lost where the reader does not know its writer yet.
            self.until(lambda: made.get_subscription_count() and heard_by.get_publisher_count(), f"a subscriber of {topic.name}")
        for message in messages:
            self._publishers[topic.name].publish(message)

    def until(self, done, what):
        """Let both work until `done()`."""
        deadline_s = time.monotonic() + PATIENCE_S
        while not done():
            assert time.monotonic() < deadline_s, f"waited {PATIENCE_S} s for {what}; the node says: '{self.node.trouble}'"
            self.node.loop.spin_once(0.005)
            self.peer_loop.spin_once(0.0)

    def arrivals(self, topic):
        """Return a function that tells whether something has arrived on an input since."""
        stream, before_s = self.node.streams[topic.name], time.monotonic()
        return lambda: stream.age_s(time.monotonic()) < time.monotonic() - before_s


@contextlib.contextmanager
def solo(node_class, name, *words, **parameters):
    """Run a node of this class alone with these parameters, and words for ROS: active, or, where configuring failed, not."""
    arguments = [*words] + [word for key, value in parameters.items() for word in ("-p", f"{key}:={value}")]
    # A domain apart from that of the graphs.
    domain = int(os.environ["ROS_DOMAIN_ID"]) % 99 + 1
    rclpy.init(args=["--ros-args", *arguments], domain_id=domain)
    context = Context()
    rclpy.init(context=context, domain_id=domain)
    node, peer = node_class(name), rclpy.create_node("peer", context=context)
    try:
        if node.trigger_configure() == TransitionCallbackReturn.SUCCESS:
            node.trigger_activate()
        yield Solo(node, peer)
    finally:
        node.trigger_shutdown()
        for owner in (node, peer):
            owner.destroy_node()
        rclpy.shutdown(context=context)
        rclpy.shutdown()
        # What an active node has frozen keeps its participant alive, and the 33rd of a process is found by nobody.
        del node, peer, owner, context
        gc.unfreeze()
        gc.collect()


def stamp_of(stamp_s: float) -> Time:
    return convert.to_stamp(stamp_s)


def sample(robot, stamp_s, joints=None, wrench=None, taxels=None):
    """Return the three messages of one good sensor sample, each altered by a function that is given."""
    states = convert.joint_state((*robot.arm_joints, *robot.hand_joints))
    states.position = convert.joint_array(np.concatenate([robot.q_home_rad, robot.hand_rest_rad]))
    force = WrenchStamped()
    force.header.frame_id = "tcp"
    touch = convert_seen.taxel_cloud(4, 12)
    convert_seen.put_taxels(np.zeros((4, 12, 6)), touch)
    out = []
    for topic, message, alter in ((topics.JOINT_STATES, states, joints), (topics.WRENCH, force, wrench), (topics.TACTILE, touch, taxels)):
        message.header.stamp = stamp_of(stamp_s)
        if alter is not None:
            alter(message)
        out.append((topic, message))
    return out
