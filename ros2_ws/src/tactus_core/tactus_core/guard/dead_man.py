"""Where a dead-man's switch is required, nothing moves unless somebody holds it."""

from tactus_core.guard.config import GuardConfig
from tactus_core.guard.types import Context, Reason
from tactus_core.types import Target


class DeadMan:
    """Refuses every target when the switch was last heard to be held longer ago than allowed."""

    def __init__(self, config: GuardConfig) -> None:
        self._timeout_s = config.dead_man_timeout_s

    def apply(self, target: Target, context: Context) -> tuple[Target | None, Reason | None]:
        """See `Stage`."""
        if self._timeout_s == 0.0 or 0.0 <= context.dead_man_age_s <= self._timeout_s:
            return target, None
        return None, Reason.DEAD_MAN
