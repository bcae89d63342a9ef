"""Bundles that are offered in the place of the one that acts: examined beside the node, then rolled out; one at a time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tactus_core.errors import BundleError, StaleError
from tactus_core.policy.bundle import Bundle, find_bundle
from tactus_core.policy.card import file_sha256
from tactus_core.policy.swap import Moment, SwapLimits, examine
from tactus_core.types import RobotDescription
from tactus_msgs.msg import PolicyVersion
from tactus_nodes.aside import Aside
from tactus_nodes.base import TactusNode
from tactus_nodes.rollout import Rollout

# Whether weights will act, None where that cannot be decided yet, and why.
Say = Callable[[bool | None, str], None]


@dataclass(frozen=True)
class _Examined:
    folder: Path
    bundle_hash: str
    found: str
    comparable: bool = True


class Offers:
    """Decides on one offer after the other, for a node with the parameter `bundle`.

    worse: why weights that acted were taken back, by hash; they are not taken again.
    """

    def __init__(self, node: TactusNode, rollout: Rollout, robot: RobotDescription, limits: SwapLimits) -> None:
        self._node, self._aside, self._rollout = node, Aside(node), rollout
        self._robot, self._limits = robot, limits
        folder = find_bundle(node.config.bundle)
        self._acting = file_sha256(folder / "card.yaml"), Bundle.load(folder)
        self._offered, self._hearers = "", list[Say]()
        self.worse: dict[str, str] = {}

    @property
    def busy(self) -> bool:
        """Whether an offer is not decided yet."""
        return bool(self._offered)

    def take(self, bundle: str, acting: PolicyVersion, moments: Sequence[Moment], say: Say) -> None:
        """Examine the bundle, a folder or a name, and roll it out; `say` gets whether it will act, and the reason, or what was found."""
        if self._offered not in ("", bundle):
            say(None, f"'{self._offered}' is not decided yet; offer this one afterwards")
            return
        self._hearers.append(say)
        if not self._offered:
            self._offered = bundle
            self._aside.begin(lambda: self._examine(bundle, acting, moments), self._roll_out, lambda why: self._decide(False, why))

    def _examine(self, bundle: str, acting: PolicyVersion, moments: Sequence[Moment]) -> _Examined:
        folder = find_bundle(bundle).resolve()
        bundle_hash = file_sha256(folder / "card.yaml")
        if bundle_hash == acting.bundle_hash:
            return _Examined(folder, bundle_hash, "these weights act already")
        if bundle_hash in self.worse:
            raise BundleError(f"these weights were taken back: {self.worse[bundle_hash]}. Train on, and offer others.")
        try:
            offered, difference, count = examine(folder, self._running(acting), self._robot, moments, self._limits)
        except StaleError as error:
            return _Examined(folder, bundle_hash, str(error), comparable=False)
        return _Examined(
            folder,
            bundle_hash,
            f"'{offered.card.id}' acts from the next episode on; on {count} observations its targets lie at most "
            f"{1e3 * difference.position_m:.2f} mm, {difference.rotation_rad:.3f} rad, and of joints {difference.joint_rad:.3f} rad, "
            f"from those of '{acting.bundle}'",
        )

    def _running(self, acting: PolicyVersion) -> Bundle:
        if self._acting[0] != acting.bundle_hash:
            if file_sha256(Path(acting.folder) / "card.yaml") != acting.bundle_hash:
                raise BundleError(
                    f"{acting.folder} has another bundle than the one that acts: nothing can be compared with it. Restore it."
                )
            self._acting = acting.bundle_hash, Bundle.load(acting.folder)
        return self._acting[1]

    def _roll_out(self, examined: _Examined) -> None:
        if not examined.comparable:
            self._decide(None, examined.found)
            return
        self._rollout.begin(examined.folder, examined.bundle_hash, lambda why_not: self._decide(not why_not, why_not or examined.found))

    def _decide(self, accepted: bool | None, message: str) -> None:
        self._node.get_logger().info(f"{self._offered} is {'accepted' if accepted else 'refused'}: {message}")
        hearers, self._offered, self._hearers = self._hearers, "", []
        for say in hearers:
            say(accepted, message)
