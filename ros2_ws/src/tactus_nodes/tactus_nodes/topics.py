"""Every topic of the graph, once: name, type, QoS. docs/architecture.md says what is in them."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import PointStamped, PoseArray, PoseStamped, WrenchStamped
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, Image, JointState, Joy, PointCloud2
from std_msgs.msg import Bool

from tactus_msgs.msg import ActionChunk, EpisodeMark, EpisodeOutcome, Features, Heartbeat, PolicyVersion, Proposal, Verdict, WorldState


@dataclass(frozen=True)
class Topic:
    """A topic's name (relative, unless it begins with /), message type and quality of service."""

    name: str
    type: type[Any]
    depth: int = 1
    reliable: bool = True
    latched: bool = False

    @property
    def qos(self) -> QoSProfile:
        """The profile that publishers and subscribers share."""
        return QoSProfile(
            history=HistoryPolicy.KEEP_LAST,
            depth=self.depth,
            reliability=ReliabilityPolicy.RELIABLE if self.reliable else ReliabilityPolicy.BEST_EFFORT,
            durability=DurabilityPolicy.TRANSIENT_LOCAL if self.latched else DurabilityPolicy.VOLATILE,
        )

    def deeper(self, depth: int) -> "Topic":
        """Return the topic with a longer queue, for a reader that must not lose samples while it works."""
        return replace(self, depth=depth)


# Stands for every topic, in the contract of a node that listens to all.
ANY = Topic("*", object)
JOINT_STATES = Topic("joint_states", JointState, reliable=False)
# Of an arm that another driver moves: `joint_states` may be that driver's own.
ARM_STATES = Topic("arm/joint_states", JointState, reliable=False)
# Of a hand that is a device of its own: `joint_states` are then the arm's.
HAND_STATES = Topic("hand/joint_states", JointState, reliable=False)
WRENCH = Topic("wrench", WrenchStamped, reliable=False)
TACTILE = Topic("tactile", PointCloud2, reliable=False)
IMAGE = Topic("camera/image", Image, reliable=False)
# Along the optical axis: 16UC1 in millimetres, 0 where it is not known, or 32FC1 in metres, NaN there.
DEPTH = Topic("camera/depth/image", Image, reliable=False)
DEPTH_INFO = Topic("camera/depth/camera_info", CameraInfo, reliable=False)
CLOUD = Topic("camera/cloud", PointCloud2, reliable=False)
FEATURES = Topic("features", Features)
# Of an encoder that stands alone; `features` are those of the policy's own.
ENCODED = Topic("encoder/features", Features)
CHUNK = Topic("chunk", ActionChunk)
# Whose weights act; said again and again, for those who have come since.
VERSION = Topic("policy/version", PolicyVersion, latched=True)
PROPOSAL = Topic("proposal", Proposal, reliable=False)
ARM_TARGET = Topic("arm/target_pose", PoseStamped)
ARM_COMMAND = Topic("arm/joint_cmd", JointState)
HAND_COMMAND = Topic("hand/joint_cmd", JointState)
VERDICT = Topic("verdict", Verdict, reliable=False)
HEARTBEAT = Topic("heartbeat", Heartbeat, depth=10)
ESTOP = Topic("estop", Bool, latched=True)
# Anybody may press it; only the supervisor's service releases it.
ESTOP_REQUEST = Topic("estop/request", Bool, depth=10)
DEAD_MAN = Topic("dead_man", Bool)
JOY = Topic("joy", Joy, reliable=False)
# What a human moves the robot with, beside a gamepad: a 3D mouse as ROS' own node tells it, our keyboard, a tracked hand, a leader arm.
SPACENAV = Topic("spacenav/joy", Joy, reliable=False)
KEYBOARD = Topic("keyboard/joy", Joy, reliable=False)
HAND_POSE = Topic("teleop/pose", PoseStamped, reliable=False)
HAND_TIPS = Topic("teleop/fingertips", PoseArray, reliable=False)
LEADER_STATES = Topic("leader/joint_states", JointState, reliable=False)
DEVICE_HOLDING = Topic("device/holding", Bool, latched=True)
# The same, of a robot's arm and hand, where one process runs both.
ARM_HOLDING = Topic("arm/holding", Bool, latched=True)
HAND_HOLDING = Topic("hand/holding", Bool, latched=True)
READY = Topic("ready", Bool, latched=True)
DIAGNOSTICS = Topic("/diagnostics", DiagnosticArray, depth=10)
WORLD = Topic("sim/world", WorldState)
OUTCOME = Topic("sim/outcome", EpisodeOutcome, latched=True)
# What somebody says of an episode, by service, key or button.
MARK = Topic("episode/mark", EpisodeMark, depth=10)
# As a sensor gave it, with its bias and glitches: `touch_monitor` makes `wrench` of it.
WRENCH_RAW = Topic("wrench/raw", WrenchStamped, reliable=False)
# As a sensor gave it, in the unit that the names of the fields tell.
TAXELS_RAW = Topic("tactile/raw", PointCloud2, reliable=False)
WRENCH_EVENTS = Topic("wrench/events", DiagnosticArray, depth=100)
TOUCH_IMAGE = Topic("optical_touch/image", Image, reliable=False)
MARKERS = Topic("optical_touch/markers", PointCloud2, reliable=False)
CONTACT = Topic("optical_touch/contact", DiagnosticArray, depth=100)
TCP_POSITION = Topic("recorded/tcp_position", PointStamped, reliable=False)
REPLAY = Topic("replay/state", DiagnosticArray, latched=True)


def encoder_name(bundle_id: str) -> str:
    """Return what features say of who made them."""
    return f"{bundle_id}/encoder"


def images(cameras: Iterable[str]) -> dict[str, Topic]:
    """Return where a policy's cameras are heard: the only one on `IMAGE`, of several each on a topic with its name."""
    return _named(IMAGE, cameras)


def encoded(encoders: Iterable[str]) -> dict[str, Topic]:
    """Return where the encoders are heard that a policy observes and that stand alone, as `images` does: `encoder/NAME/features`."""
    return _named(ENCODED, encoders)


def _named(only: Topic, names: Iterable[str]) -> dict[str, Topic]:
    each, (place, what) = list(names), only.name.split("/")
    return {name: only if len(each) == 1 else replace(only, name=f"{place}/{name}/{what}") for name in each}
