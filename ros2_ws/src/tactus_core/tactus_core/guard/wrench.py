"""Contact that is hard slows motion down; harder, it ends it; much too hard, it stops the robot until reset."""

from math import inf, isnan, nan, sqrt

import numpy as np

from tactus_core.geometry import rotation_vector
from tactus_core.guard.config import GuardConfig
from tactus_core.guard.types import Context, Reason
from tactus_core.types import Array, Target

# Of the work that a wrench can do along a way: the share from which the way leads out of the contact, and not along it.
_GIVES_WAY = 0.2


class WrenchLimit:
    """Refuses every target while force or torque is unknown or above its limit; at rest the limit is lower: motion does not flutter.

    What leads out of the contact passes all the same: a stiff arm that stands pressed would press until somebody could move it.
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
        if contact > allowed and retreats(target, context):
            return target, None
        return None, Reason.WRENCH if contact > allowed else Reason.WRENCH_MISSING


def retreats(target: Target, context: Context) -> bool:
    """Return whether the way from what was sent last to the target gives way to the wrench: whether that does work along it.

    The energy of an elastic contact falls by that work. False for a wrench that is not finite, and for no way at all.
    """
    R, begin, end = context.state.T_base_tcp[:3, :3], context.executed.T_base_tcp, target.T_base_tcp
    moved, turned = R.T @ (end[:3, 3] - begin[:3, 3]), rotation_vector(begin[:3, :3].T @ end[:3, :3])
    force, torque = context.state.wrench_tcp[:3], context.state.wrench_tcp[3:]
    most = np.linalg.norm(force) * np.linalg.norm(moved) + np.linalg.norm(torque) * np.linalg.norm(turned)
    return bool(most > 0.0 and force @ moved + torque @ turned >= _GIVES_WAY * most)


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
