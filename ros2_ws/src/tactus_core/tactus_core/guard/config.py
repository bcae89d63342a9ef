"""The guard's parameters."""

from dataclasses import dataclass

from tactus_core.config import param
from tactus_core.errors import ConfigError


@dataclass(frozen=True)
class GuardConfig:
    """Limits of the guard. The reference error bounds the contact force: 45 mm against 600 N/m are 27 N."""

    proposal_timeout_s: float = param(0.05, low=0.005, high=1.0, doc="Age at which a proposal moves nothing any more.")
    state_timeout_s: float = param(0.05, low=0.005, high=1.0, doc="Age at which the robot's state counts as unknown.")
    max_dt_s: float = param(0.02, low=0.001, high=0.1, doc="Longest time that one step may make up for; after a stall nothing jumps.")
    slow_s: float = param(0.2, low=0.02, high=2.0, doc="Time from motion to rest.")
    resume_s: float = param(0.2, low=0.0, high=5.0, doc="Time from rest to full speed.")
    start_jump_m: float = param(0.1, low=0.001, high=1.0, doc="Farthest from the measured tcp that motion may begin.")
    start_jump_rad: float = param(0.6, low=0.01, high=3.2, doc="The same, for rotation.")
    workspace_low_m: tuple[float, float, float] = param((0.1, -0.6, -0.1), low=-3.0, high=3.0, doc="Corner of the tcp's box, in base.")
    workspace_high_m: tuple[float, float, float] = param((0.9, 0.6, 0.9), low=-3.0, high=3.0, doc="Opposite corner of the box.")
    max_speed_m_s: float = param(0.75, low=0.001, high=2.0, doc="Speed of the tcp's target.")
    max_speed_rad_s: float = param(2.5, low=0.01, high=10.0, doc="Rotation speed of the tcp's target.")
    max_hand_speed_rad_s: float = param(6.0, low=0.01, high=20.0, doc="Speed of each hand joint's target.")
    max_normal_error_m: float = param(0.045, low=0.001, high=0.5, doc="Target off the measured tcp, along the tool's axis.")
    max_tangential_error_m: float = param(0.06, low=0.001, high=0.5, doc="Target off the measured tcp, across the tool's axis.")
    max_rotation_error_rad: float = param(0.35, low=0.01, high=1.5, doc="Target turned off the measured tcp.")
    max_force_N: float = param(30.0, low=0.1, high=500.0, doc="Contact force above which the robot comes to rest.")
    max_torque_Nm: float = param(8.0, low=0.01, high=100.0, doc="Contact torque above which the robot comes to rest.")
    release_share: float = param(0.7, low=0.0, high=1.0, doc="Share of those limits below which motion may resume.")
    hard_share: float = param(2.0, low=1.0, high=10.0, doc="Share of those limits above which the robot stops until reset.")

    def __post_init__(self) -> None:
        low, high = self.workspace_low_m, self.workspace_high_m
        if not all(near < far for near, far in zip(low, high, strict=True)):
            raise ConfigError(f"workspace_low_m must be below workspace_high_m on every axis, got {low} and {high}. Correct the box.")
