"""An arm, a hand, a force sensor and a camera that other drivers run, as ROS sees them; a process of its own, steered by lines on
standard input.

`switch NAME...`: these controllers are active now, and no others. `silence SECONDS`, `repeat 1|0` (the stamp), `feel WRENCH...`,
`see ENCODING LEVEL AGE` (what images say from now on), `state`: what has been commanded, and where the joints are.
"""

import array
import json
import math
import queue
import sys
import threading
import time

import rclpy
from controller_manager_msgs.msg import ControllerState
from controller_manager_msgs.srv import ListControllers
from geometry_msgs.msg import PoseStamped, WrenchStamped
from rclpy.qos import QoSProfile, qos_profile_sensor_data
from sensor_msgs.msg import Image, JointState
from std_msgs.msg import Float64MultiArray
from trajectory_msgs.msg import JointTrajectory

from tactus_nodes.executor import LeanExecutor

ARM = tuple(f"their_{i}" for i in range(7))
HAND = tuple(f"finger_{i}" for i in range(16))
# Not in the order of the joint states, for nobody promises that.
ORDER = ARM[::-1]
CONTROLLERS = {
    "mover": ("joint_trajectory_controller/JointTrajectoryController", "position"),
    "forwarder": ("forward_command_controller/ForwardCommandController", "position"),
    "racer": ("forward_command_controller/ForwardCommandController", "velocity"),
    "cartesian": ("crisp_controllers/CartesianController", "effort"),
}
TICK_S = 0.01
PIPE_DEPTH = QoSProfile(depth=1)


class Drivers:
    def __init__(self, node):
        self.node = node
        self.active, self.repeats, self.quiet_until_s = {"mover"}, False, 0.0
        self.arm, self.hand = dict.fromkeys(ARM, 0.0), dict.fromkeys(HAND, 0.0)
        self.wrench, self.seen, self.step_rad, self.reach_s = [0.0] * 6, dict.fromkeys((*CONTROLLERS, "hand"), 0), 0.0, 0.0
        self.pose, self.trajectory, self.stamp = None, None, node.get_clock().now().to_msg()
        node.create_service(ListControllers, "/cell/controller_manager/list_controllers", self.list)
        self.states_out = node.create_publisher(JointState, "/joint_states", qos_profile_sensor_data)
        self.hand_out = node.create_publisher(JointState, "/allegro/joint_states", PIPE_DEPTH)
        self.wrench_out = node.create_publisher(WrenchStamped, "/estimator/wrench", qos_profile_sensor_data)
        # As realsense-ros and usb_cam say images, best effort; rows of 4 pixels.
        self.image, self.image_age_s = None, 0.0
        self.image_out = node.create_publisher(Image, "/camera/camera/color/image_raw", qos_profile_sensor_data)
        node.create_subscription(JointTrajectory, "/cell/mover/joint_trajectory", self.take_trajectory, PIPE_DEPTH)
        node.create_subscription(Float64MultiArray, "/cell/forwarder/commands", self.take_positions, PIPE_DEPTH)
        node.create_subscription(Float64MultiArray, "/cell/racer/commands", lambda _: self.count("racer"), PIPE_DEPTH)
        node.create_subscription(PoseStamped, "/cell/target_pose", self.take_pose, PIPE_DEPTH)
        node.create_subscription(JointState, "/allegro/joint_cmd", self.take_hand, PIPE_DEPTH)
        node.create_timer(TICK_S, self.tick)

    def list(self, request, response):
        states = []
        for name, (kind, interface) in CONTROLLERS.items():
            state = "active" if name in self.active else "inactive"
            needed = [f"{joint}/{interface}" for joint in ORDER]
            states.append(ControllerState(name=name, type=kind, state=state, required_command_interfaces=needed))
        states.append(ControllerState(name="broadcaster", type="joint_state_broadcaster/JointStateBroadcaster", state="active"))
        response.controller = states
        return response

    def count(self, name):
        self.seen[name] += 1
        return name in self.active

    def take_trajectory(self, message):
        if self.count("mover"):
            (point,) = message.points
            assert (message.header.stamp.sec, message.header.stamp.nanosec, len(point.velocities)) == (0, 0, 0)
            self.reach_s = point.time_from_start.sec + point.time_from_start.nanosec * 1e-9
            self.trajectory = dict(zip(message.joint_names, point.positions, strict=True)), time.monotonic() + self.reach_s

    def take_positions(self, message):
        if self.count("forwarder"):
            goal = dict(zip(ORDER, message.data, strict=True))
            self.step_rad = max(self.step_rad, *(abs(goal[joint] - at) for joint, at in self.arm.items()))
            self.arm.update(goal)

    def take_pose(self, message):
        if self.count("cartesian"):
            self.pose = [message.pose.position.x, message.pose.position.y, message.pose.position.z, message.pose.orientation.w]

    def take_hand(self, message):
        self.count("hand")
        self.hand.update(zip(message.name, message.position, strict=True))

    def tick(self):
        if self.trajectory is not None:
            goal, end_s = self.trajectory
            share = min(1.0, TICK_S / max(TICK_S, end_s - time.monotonic()))
            self.arm.update({joint: at + share * (goal[joint] - at) for joint, at in self.arm.items()})
        if time.monotonic() < self.quiet_until_s:
            return
        if not self.repeats:
            self.stamp = self.node.get_clock().now().to_msg()
        flicker = 1e-9 * math.sin(1e3 * time.monotonic())
        for out, joints, velocity in ((self.states_out, {"gripper": 0.5, **self.arm}, flicker), (self.hand_out, self.hand, None)):
            names = (*ORDER, "gripper") if "gripper" in joints else HAND
            message = JointState(name=names, position=array.array("d", [joints[name] for name in names]))
            message.velocity = array.array("d", [] if velocity is None else [velocity] * len(names))
            message.header.stamp = self.stamp
            out.publish(message)
        wrench = WrenchStamped()
        wrench.header.stamp, wrench.header.frame_id = self.stamp, "theirs"
        force, torque = wrench.wrench.force, wrench.wrench.torque
        force.x, force.y, force.z, torque.x, torque.y, torque.z = self.wrench
        self.wrench_out.publish(wrench)
        if self.image is not None:
            at = rclpy.time.Time.from_msg(self.stamp) - rclpy.duration.Duration(seconds=self.image_age_s)
            self.image.header.stamp, self.image.header.frame_id = at.to_msg(), "camera_color_optical_frame"
            self.image_out.publish(self.image)

    def steer(self, word, *values):
        if word == "switch":
            self.active, self.trajectory = set(values), None
        elif word == "silence":
            self.quiet_until_s = time.monotonic() + float(values[0])
        elif word == "repeat":
            self.repeats = values[0] == "1"
        elif word == "feel":
            self.wrench = list(map(float, values))
        elif word == "see":
            encoding, level, age_s = values[0], int(values[1]), float(values[2])
            self.image = Image(height=3, width=4, encoding=encoding, step=12, data=array.array("B", [level, 20, 30] * 12))
            self.image_age_s = age_s
        stamp_s = self.stamp.sec + self.stamp.nanosec * 1e-9
        goal = None if self.trajectory is None else [self.trajectory[0][joint] for joint in ARM]
        arm, hand = [self.arm[joint] for joint in ARM], [self.hand[joint] for joint in HAND]
        told = {"arm": arm, "hand": hand, "goal": goal, "pose": self.pose, "reach_s": self.reach_s, "stamp_s": stamp_s}
        return {**told, "seen": self.seen, "step_rad": self.step_rad}


def hear(lines):
    for line in sys.stdin:
        lines.put(line)
    lines.put("")


def main():
    rclpy.init()
    node = rclpy.create_node("drivers")
    drivers, loop, lines = Drivers(node), LeanExecutor(node), queue.Queue()
    print(json.dumps({}), flush=True)
    threading.Thread(target=hear, args=(lines,), daemon=True).start()
    while True:
        loop.spin_once(TICK_S)
        while not lines.empty():
            line = lines.get()
            if not line:
                return
            print(json.dumps(drivers.steer(*line.split())), flush=True)


if __name__ == "__main__":
    main()
