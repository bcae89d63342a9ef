"""How soon the robot has to be safe: from what the nodes of the launch file declare of their inputs (`doctor --contract`)."""

from collections.abc import Sequence
from dataclasses import dataclass

from tactus_nodes.contract import Row

# On top of an age: to notice it, and to say so.
_MARGIN_S = 0.05
# In all, where the way of the commands itself is cut, or a stop is asked for.
_CUT_S = 0.1


@dataclass(frozen=True)
class Bounds:
    """From a fault to a safe command [s]: of sensors, proposals, chunks, images (a chunk is played on), heartbeats, the commands' way.

    frozen: sensors whose content is judged, so that repeating themselves has to end motion.
    """

    sensed: float
    proposed: float
    planned: float
    seen: float
    unheard: float
    cut: float
    frozen: frozenset[str]

    @classmethod
    def of(cls, rows: Sequence[Row]) -> "Bounds":
        """Return the bounds of a launch file's contract."""
        ages = {(row.node, row.topic): row.max_age_s or 0.0 for row in rows}
        sensors = [("guard", topic) for topic in ("joint_states", "wrench", "tactile")]
        chunk_s, image_s = ages["fast_policy", "chunk"], max(ages["perception", "camera/image"], ages["slow_policy", "features"])
        return cls(
            sensed=max(ages[sensor] for sensor in sensors) + _MARGIN_S,
            proposed=ages["guard", "proposal"] + _MARGIN_S,
            planned=chunk_s + _MARGIN_S,
            seen=image_s + chunk_s + _MARGIN_S,
            unheard=max(ages["guard", "estop"], ages["supervisor", "heartbeat"]) + _MARGIN_S,
            cut=_CUT_S,
            frozen=frozenset(row.topic for row in rows if row.frozen_s),
        )
