"""The guard's parameters."""

from dataclasses import dataclass

from tactus_core.config import param
from tactus_core.errors import ConfigError


@dataclass(frozen=True)
class GuardConfig:
    """Limits of the guard. The reference error bounds the contact force: 45 mm against 600 N/m are 27 N.

    Accelerations and jerks of the tcp are those that Franka's controller accepts (Franka Control Interface, limits in the Cartesian space).
    """

    proposal_timeout_s: float = param(0.05, low=0.005, high=1.0, doc="Age at which a proposal moves nothing any more.")
    state_timeout_s: float = param(0.05, low=0.005, high=1.0, doc="Age at which the robot's state counts as unknown.")
    device_timeout_s: float = param(0.08, low=0.005, high=1.0, doc="Silence after which the devices hold by themselves.")
    dead_man_timeout_s: float = param(0.0, low=0.0, high=1.0, doc="Age at which a dead-man's switch counts as let go; 0: none is needed.")
    max_dt_s: float = param(0.02, low=0.001, high=0.1, doc="Longest time that a step makes up for; after more, motion begins from rest.")
    slow_s: float = param(0.3, low=0.02, high=2.0, doc="Longest time from motion to rest.")
    resume_s: float = param(0.2, low=0.0, high=5.0, doc="Time from rest to full speed.")
    reset_cooldown_s: float = param(1.0, low=0.0, high=60.0, doc="Time after a stop during which a reset is refused.")
    start_jump_m: float = param(0.1, low=0.001, high=1.0, doc="Farthest from the measured tcp that motion may begin.")
    start_jump_rad: float = param(0.6, low=0.01, high=3.2, doc="The same, for rotation, and for each joint of an arm commanded by joints.")
    workspace_low_m: tuple[float, float, float] = param((0.1, -0.6, -0.1), low=-3.0, high=3.0, doc="Corner of the tcp's box, in base.")
    workspace_high_m: tuple[float, float, float] = param((0.9, 0.6, 0.9), low=-3.0, high=3.0, doc="Opposite corner of the box.")
    half_spaces: tuple[float, ...] = param((0.0, 0.0, 1.0, 0.0), low=-10.0, high=10.0, doc="a, b, c, d of each: links keep ax+by+cz > d.")
    link_margin_m: float = param(0.02, low=0.0, high=0.5, doc="Nearest that a link may come to the edge of a half-space.")
    self_margin_m: float = param(0.005, low=0.0, high=0.2, doc="Nearest that two links may come to each other.")
    joint_margin_rad: float = param(0.02, low=0.0, high=0.5, doc="Nearest that a joint of the arm may come to its limit.")
    max_speed_m_s: float = param(0.75, low=0.001, high=2.0, doc="Speed of the tcp's target.")
    max_speed_rad_s: float = param(2.5, low=0.01, high=10.0, doc="Rotation speed of the tcp's target.")
    max_acceleration_m_s2: float = param(13.0, low=0.01, high=50.0, doc="Acceleration of the tcp's target.")
    max_acceleration_rad_s2: float = param(25.0, low=0.01, high=100.0, doc="Rotation acceleration of the tcp's target.")
    max_jerk_m_s3: float = param(6500.0, low=0.1, high=20000.0, doc="Jerk of the tcp's target.")
    max_jerk_rad_s3: float = param(12500.0, low=0.1, high=40000.0, doc="Rotation jerk of the tcp's target.")
    max_joint_speed_rad_s: float = param(1.5, low=0.01, high=10.0, doc="Speed of each arm joint's target; the URDF's limit holds as well.")
    max_joint_acceleration_rad_s2: float = param(7.5, low=0.01, high=50.0, doc="Acceleration of each arm joint's target.")
    max_joint_jerk_rad_s3: float = param(3750.0, low=0.1, high=20000.0, doc="Jerk of each arm joint's target.")
    max_hand_speed_rad_s: float = param(6.0, low=0.01, high=20.0, doc="Speed of each hand joint's target.")
    max_hand_acceleration_rad_s2: float = param(200.0, low=0.1, high=2000.0, doc="Acceleration of each hand joint's target.")
    max_hand_jerk_rad_s3: float = param(40000.0, low=1.0, high=400000.0, doc="Jerk of each hand joint's target.")
    max_normal_error_m: float = param(0.045, low=0.001, high=0.5, doc="Target off the measured tcp, along the tool's axis.")
    max_tangential_error_m: float = param(0.06, low=0.001, high=0.5, doc="Target off the measured tcp, across the tool's axis.")
    max_rotation_error_rad: float = param(0.35, low=0.01, high=1.5, doc="Target turned off the measured tcp.")
    max_joint_error_rad: float = param(0.1, low=0.001, high=1.0, doc="Target of an arm joint off the measured one.")
    max_hand_error_rad: float = param(
        0.8, low=0.01, high=3.0, doc="Target of a hand joint off the measured one: bounds the motor's torque."
    )
    wrench: bool = param(True, doc="The arm feels: where its wrench is unknown the robot comes to rest. false: it has no such sensor.")
    max_force_N: float = param(30.0, low=0.1, high=500.0, doc="Contact force above which the robot comes to rest.")
    max_torque_Nm: float = param(8.0, low=0.01, high=100.0, doc="Contact torque above which the robot comes to rest.")
    slow_share: float = param(0.6, low=0.0, high=1.0, doc="Share of a force limit above which motion slows down, and a finger yields.")
    slowest_share: float = param(0.25, low=0.01, high=1.0, doc="Share of the speed limits that is left just below the force limit.")
    release_share: float = param(0.7, low=0.0, high=1.0, doc="Share of the force limits below which motion may resume.")
    hard_share: float = param(2.0, low=1.0, high=10.0, doc="Share of the force limits above which the robot stops until reset.")
    fingertips: bool = param(True, doc="The hand feels: where its touch is unknown the robot comes to rest.")
    max_fingertip_force_N: float = param(25.0, low=0.1, high=200.0, doc="Force at a fingertip at which its finger gives way.")
    max_finger_effort_Nm: float = param(6.0, low=0.01, high=50.0, doc="Torque of a hand joint at which its finger gives way.")

    def __post_init__(self) -> None:
        low, high = self.workspace_low_m, self.workspace_high_m
        if not all(near < far for near, far in zip(low, high, strict=True)):
            raise ConfigError(f"workspace_low_m must be below workspace_high_m on every axis, got {low} and {high}. Correct the box.")
        lengths = [sum(n * n for n in edge[:3]) for edge in self.edges]
        if len(self.half_spaces) % 4 or not all(abs(length - 1.0) < 1e-6 for length in lengths):
            raise ConfigError(f"half_spaces must be groups of four, a, b, c of length 1 and d, got {self.half_spaces}. Correct them.")

    @property
    def edges(self) -> list[tuple[float, float, float, float]]:
        """The half-spaces, four numbers each."""
        h = self.half_spaces
        return [(h[i], h[i + 1], h[i + 2], h[i + 3]) for i in range(0, len(h) - 3, 4)]
