"""Weights of the policy that are replaced while the graph runs: got ready beside the node, put in their place between two callbacks.

The slow policy leads: it lets other weights act at a boundary between episodes and says so on `policy/version`; perception and the fast
policy follow. What was made with others meanwhile bears another hash, and is not used: in between nothing is proposed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from rclpy.task import Future

from tactus_core.errors import BundleError
from tactus_core.policy.bundle import find_bundle
from tactus_core.policy.card import Card, file_sha256
from tactus_msgs.msg import PolicyVersion
from tactus_msgs.srv import SwapBundle
from tactus_nodes import topics
from tactus_nodes.aside import Aside
from tactus_nodes.base import TactusNode

Part = TypeVar("Part")


@dataclass(frozen=True)
class Loaded(Generic[Part]):
    """Weights that are ready to run. part: what a node runs of them."""

    folder: Path
    card: Card
    bundle_hash: str
    part: Part

    @property
    def bundle(self) -> str:
        """Name and version."""
        return self.card.id


class Weights(Generic[Part]):
    """What a node with the parameter `bundle` runs; `~/prepare` gets others ready, and those before are kept to go back to.

    load: returns the card, and what the node runs of the bundle in a folder; called in a thread beside the node.
    take: puts that in the place of what runs.
    """

    def __init__(self, node: TactusNode, load: Callable[[Path], tuple[Card, Part]], take: Callable[[Loaded[Part]], None]) -> None:
        """Load the node's bundle; raises BundleError, SetupError."""
        self._node, self._load, self._take = node, load, take
        self._aside = Aside(node)
        self._before: Loaded[Part] | None = None
        self._staged: Loaded[Part] | None = None
        folder = find_bundle(node.config.bundle).resolve()
        self.acting = self._loaded(folder, file_sha256(folder / "card.yaml"))
        take(self.acting)
        node.serve(SwapBundle, "~/prepare", self._serve_prepare)

    def _loaded(self, folder: Path, bundle_hash: str) -> Loaded[Part]:
        card, part = self._load(folder)
        if (got := file_sha256(folder / "card.yaml")) != bundle_hash:
            raise BundleError(f"{folder}/card.yaml: sha256 is {got}, expected {bundle_hash}. It was altered meanwhile; offer it again.")
        return Loaded(folder, card, bundle_hash, part)

    def _found(self, bundle_hash: str) -> Loaded[Part] | None:
        return next((each for each in (self.acting, self._before, self._staged) if each and each.bundle_hash == bundle_hash), None)

    def _act(self, loaded: Loaded[Part]) -> None:
        self._node.get_logger().info(f"'{loaded.bundle}' ({loaded.bundle_hash[:12]}) acts in the place of '{self.acting.bundle}'")
        self._before, self.acting = self.acting, loaded
        self._take(loaded)

    def _prepare(self, folder: Path, bundle_hash: str, done: Callable[[Loaded[Part]], None], failed: Callable[[str], None]) -> None:
        def staged(loaded: Loaded[Part]) -> None:
            self._staged = loaded
            done(loaded)

        if (known := self._found(bundle_hash)) is not None:
            done(known)
        else:
            self._aside.begin(lambda: self._loaded(folder, bundle_hash), staged, failed)

    def why_not(self) -> str:
        """Say why this node can take no other weights; empty: it can."""
        return ""

    def _serve_prepare(self, request: SwapBundle.Request, response: SwapBundle.Response) -> Future:
        answer = Future()

        def say(why_not: str) -> None:
            response.success, response.message = not why_not, why_not or "ready"
            answer.set_result(response)

        if why_not := self.why_not():
            say(why_not)
        else:
            self._prepare(Path(request.bundle), request.bundle_hash, lambda _: say(""), say)
        return answer


class Following(Weights[Part]):
    """Of perception and the fast policy: they run what the slow policy runs, also after they were started anew."""

    def __init__(self, node: TactusNode, load: Callable[[Path], tuple[Card, Part]], take: Callable[[Loaded[Part]], None]) -> None:
        super().__init__(node, load, take)
        self._awaited = ""
        node.subscribe(topics.VERSION, self._follow)

    def _follow(self, message: PolicyVersion) -> None:
        if message.bundle_hash == self.acting.bundle_hash:
            self._awaited = ""
        elif message.bundle_hash != self._awaited:
            self._awaited = message.bundle_hash
            self._prepare(Path(message.folder), message.bundle_hash, self._arrive, self._fail)

    def _arrive(self, loaded: Loaded[Part]) -> None:
        if loaded.bundle_hash == self._awaited:
            self._awaited = ""
            self._act(loaded)

    def _fail(self, why: str) -> None:
        self._awaited = ""  # tried again when the slow policy says so again
        self._node.get_logger().error(f"cannot follow the slow policy: {why}", throttle_duration_sec=5.0)
