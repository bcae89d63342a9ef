"""What the nodes that run networks of a bundle share: which bundle, and what runs its networks."""

from dataclasses import dataclass

from tactus_core.config import param
from tactus_core.engines.port import EngineConfig
from tactus_core.policy.bundle import Bundle
from tactus_nodes.base import NodeConfig, TactusNode


@dataclass(frozen=True, kw_only=True)
class BundleConfig(NodeConfig, EngineConfig):
    """Parameters of a node that runs networks."""

    bundle: str = param(doc="Policy bundle, a name or a folder.")


def load_bundle(node: TactusNode) -> Bundle:
    """Return the bundle of a node with a `BundleConfig`; the reference replaces an engine that cannot be had, with a warning."""
    return Bundle.load(node.config.bundle, node.config, node.get_logger().warning)
