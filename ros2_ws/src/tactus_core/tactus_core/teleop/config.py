"""Parameters of moving a robot by hand. They lie inside the guard's own limits, which hold for a human as well."""

from dataclasses import dataclass

from tactus_core.config import param
from tactus_core.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class HandConfig:
    """Limits that hold for every device."""

    input_timeout_s: float = param(0.2, low=0.02, high=0.5, doc="Silence of the device after which it has lost control.")
    speed_m_s: float = param(0.15, low=0.001, high=1.0, doc="Speed of the tcp's target; at full deflection of an axis.")
    speed_rad_s: float = param(0.6, low=0.01, high=5.0, doc="Rotation speed of the tcp's target; at full deflection of an axis.")
    lead_m: float = param(0.03, low=0.001, high=0.2, doc="Farthest that the target may be ahead of the measured tcp.")
    lead_rad: float = param(0.2, low=0.01, high=1.0, doc="The same, for rotation.")


@dataclass(frozen=True, kw_only=True)
class TwistConfig(HandConfig):
    """Of axes that say how fast to move."""

    dead_band: float = param(0.08, low=0.0, high=0.9, doc="Share of an axis' way that counts as rest.")
    curve: float = param(1.6, low=1.0, high=4.0, doc="Power of the deflection beyond that: 1 is linear, more is finer near rest.")
    frame: str = param("base", choices=("base", "tcp"), doc="Whose axes the device's are.")
    take_by: str = param("switch", choices=("switch", "motion"), doc="How control is taken: by a dead-man's switch, or by a push alone.")
    push: float = param(
        0.25, low=0.05, high=1.0, doc="With motion, share of an axis' way that takes control; it has to be beyond dead_band."
    )
    rest_s: float = param(0.3, low=0.05, high=5.0, doc="With motion, time at rest after which control is given back.")

    def __post_init__(self) -> None:
        if not self.push > self.dead_band:
            raise ConfigError(f"push must be above dead_band, got {self.push} and {self.dead_band}: a device at rest would take control.")


@dataclass(frozen=True, kw_only=True)
class PoseConfig(HandConfig):
    """Of a hand whose pose is tracked."""

    scale: float = param(1.0, low=0.05, high=5.0, doc="Metres of the tcp for a metre of the hand; rotation is not scaled.")
    turn_base_device_rad: tuple[float, float, float] = param((0.0, 0.0, 0.0), doc="The device's axes in base, as a rotation vector.")
    jump_m: float = param(0.1, low=0.005, high=1.0, doc="Farthest from one reading to the next; more is lost tracking.")


@dataclass(frozen=True, kw_only=True)
class LeaderConfig(HandConfig):
    """Of an arm that is led by hand. Signs and offsets: one for all joints, or one for each."""

    leader_sign: tuple[float, ...] = param((1.0,), low=-1.0, high=1.0, doc="-1 for a joint that turns against the arm's, else 1.")
    leader_offset_rad: tuple[float, ...] = param((0.0,), low=-6.3, high=6.3, doc="What the arm's joint says when the leader's is at 0.")
    align_rad: float = param(0.15, low=0.005, high=1.0, doc="Farthest apart that leader and arm may be when control is taken.")
    joint_jump_rad: float = param(0.5, low=0.01, high=3.1, doc="Farthest from one reading to the next; more is a servo that wrapped.")
    joint_speed_rad_s: float = param(1.0, low=0.01, high=5.0, doc="Speed of each joint's target.")
    joint_lead_rad: float = param(0.08, low=0.005, high=0.5, doc="Farthest that a joint's target may be ahead of the measured one.")


@dataclass(frozen=True, kw_only=True)
class HandControlConfig:
    """Of the robot's hand. Buttons by their index in the device's Joy; -1: none."""

    close_button: int = param(-1, low=-1, high=63, doc="Button that closes the hand for as long as it is held; -1: none.")
    open_button: int = param(-1, low=-1, high=63, doc="The same, to open it.")
    finger_buttons: tuple[int, ...] = param((-1,), low=-1, high=63, doc="One for each finger: those held say which move; none held: all.")
    press_speed_1_s: float = param(0.7, low=0.01, high=10.0, doc="Speed from rest (0) to grip (1).")
    hand_speed_rad_s: float = param(2.0, low=0.01, high=20.0, doc="Speed of each of the hand's joints that follow a led hand.")
    tip_scale: float = param(1.0, low=0.1, high=5.0, doc="Metres of the robot's fingertips for a metre of the human's.")
    tip_jump_m: float = param(0.05, low=0.005, high=0.5, doc="Farthest of a fingertip from one reading to the next; more is lost tracking.")
    turn_palm_device_rad: tuple[float, float, float] = param(
        (0.0, 0.0, 0.0), doc="The human wrist's axes in the robot's palm, a rotation vector."
    )
    leader_open_rad: float = param(0.0, low=-6.3, high=6.3, doc="What a leader's only hand joint says when the hand is to be at rest.")
    leader_closed_rad: float = param(0.6, low=-6.3, high=6.3, doc="The same, at grip.")


@dataclass(frozen=True, kw_only=True)
class MotionConfig(TwistConfig, PoseConfig, LeaderConfig, HandControlConfig):
    """Of all of them, and how the arm is commanded."""

    command: str = param("pose", choices=("pose", "joints"), doc="How the arm is commanded: by the tcp's pose, or by its joints.")
