"""What the node that lets a human move the robot can be told, and what each kind of input listens to."""

from dataclasses import dataclass

from tactus_core.config import param
from tactus_core.errors import ConfigError
from tactus_core.teleop.config import MotionConfig
from tactus_msgs.msg import EpisodeMark
from tactus_nodes import topics
from tactus_nodes.base import NodeConfig
from tactus_nodes.reading import ReaderConfig

# What each input listens to. Where axes come from a Joy, the dead-man's switch is one of its buttons.
TOPICS = {
    "joy": (topics.JOY,),
    "spacenav": (topics.SPACENAV,),
    "keyboard": (topics.KEYBOARD,),
    "pose": (topics.HAND_POSE, topics.JOY),
    "hand": (topics.HAND_POSE, topics.HAND_TIPS, topics.JOY),
    "leader": (topics.LEADER_STATES, topics.JOY),
}

# What the buttons of `mark_buttons` say of an episode.
MARKS = (EpisodeMark.BEGIN, EpisodeMark.SUCCESS, EpisodeMark.FAILURE, EpisodeMark.NOTE)


@dataclass(frozen=True, kw_only=True)
class TeleopConfig(MotionConfig, ReaderConfig, NodeConfig):
    """Parameters of the node."""

    robot: str = param(doc="Robot, by its entry point in 'tactus.robots'.")
    input: str = param("joy", choices=tuple(TOPICS), doc="What moves it; for pose, hand, leader the dead-man's switch is a button of joy.")
    axes: tuple[int, int, int, int, int, int] = param(
        (1, 0, 3, -1, -1, 2), low=-1, high=63, doc="Axes of joy for x y z and the turns about them; -1: it has none."
    )
    dead_man_button: int = param(4, low=0, high=63, doc="Button of joy that has to be held; of a 3D mouse it is the first.")
    mark_buttons: tuple[int, ...] = param((-1,), low=-1, high=63, doc="Buttons that mark: an episode begins, success, failure, a moment.")
    full_deflection: float = param(1.0, low=0.01, high=100.0, doc="What an axis says at its end; 0.68 with ROS' own spacenav node.")
    state_timeout_s: float = param(0.05, low=0.005, high=1.0, doc="Age at which the robot's state counts as unknown.")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.take_by == "motion" and self.input in ("pose", "hand", "leader"):
            raise ConfigError(f"input '{self.input}' is always in motion, and take_by is 'motion'. Take control by a switch.")
