"""Contact that is hard slows motion down; harder, it ends it; much too hard, it stops the robot until reset."""

from math import inf, isnan, nan, sqrt

from tactus_core.guard.config import GuardConfig
from tactus_core.guard.types import Context, Reason
from tactus_core.types import Array, Target


class WrenchLimit:
    """Refuses every target while force or torque is unknown or above its limit; at rest the limit is lower: motion does not flutter.

    An arm that has no sensor (`wrench: false`) is bounded by the reference error alone; a wrench that comes all the same is judged.
    """

    def __init__(self, config: GuardConfig) -> None:
        self._config = config

    def apply(self, target: Target, context: Context) -> tuple[Target | None, Reason | None]:
        """See `Stage`."""
        allowed = 1.0 if context.running else self._config.release_share
        contact = load(context.state.wrench_tcp, self._config)
        if contact <= allowed or (isnan(contact) and not self._config.wrench):
            return target, None
        return None, Reason.WRENCH if contact > allowed else Reason.WRENCH_MISSING


def load(wrench_tcp: Array, config: GuardConfig) -> float:
    """Return the larger of force and torque, each as a share of its limit, of a wrench (6,); NaN where one is not finite."""
    fx, fy, fz, tx, ty, tz = wrench_tcp.tolist()
    force = sqrt(fx * fx + fy * fy + fz * fz) / config.max_force_N
    torque = sqrt(tx * tx + ty * ty + tz * tz) / config.max_torque_Nm
    return max(force, torque) if force + torque < inf else nan


def speed_share(wrench_tcp: Array, config: GuardConfig) -> float:
    """Return the share of the speed limits that contact leaves: all up to `slow_share` of the force limits, `slowest_share` at them."""
    if config.slow_share >= 1.0:
        return 1.0
    excess = (load(wrench_tcp, config) - config.slow_share) / (1.0 - config.slow_share)
    # `>` is false for NaN: unknown contact is the wrench limit's business, which ends motion.
    return 1.0 - (1.0 - config.slowest_share) * min(excess, 1.0) if excess > 0.0 else 1.0
