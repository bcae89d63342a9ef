"""Contact that is too hard ends motion; much too hard, it stops the robot until reset."""

from math import sqrt

from tactus_core.guard.config import GuardConfig
from tactus_core.guard.types import Context, Reason
from tactus_core.types import Array, Target


class WrenchLimit:
    """Refuses every target while force or torque is above its limit; at rest a lower limit holds, so that motion does not flutter."""

    def __init__(self, config: GuardConfig) -> None:
        self._config = config

    def apply(self, target: Target, context: Context) -> tuple[Target | None, Reason | None]:
        """See `Stage`."""
        allowed = 1.0 if context.running else self._config.release_share
        return (target, None) if load(context.state.wrench_tcp, self._config) <= allowed else (None, Reason.WRENCH)


def load(wrench_tcp: Array, config: GuardConfig) -> float:
    """Return the larger of force and torque, each as a share of its limit, of a wrench (6,)."""
    fx, fy, fz, tx, ty, tz = wrench_tcp.tolist()
    return max(sqrt(fx * fx + fy * fy + fz * fz) / config.max_force_N, sqrt(tx * tx + ty * ty + tz * tz) / config.max_torque_Nm)
