"""What the nodes that run networks of a bundle share: which bundle, what runs its networks, and what each node makes of them."""

import time
from collections.abc import Collection
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tactus_core.config import param
from tactus_core.engines.port import EngineConfig
from tactus_core.errors import ConfigError
from tactus_core.kinematics import Kinematics
from tactus_core.policy.bundle import Bundle
from tactus_core.policy.caching import DenoiserCache
from tactus_core.policy.card import Card, load_card
from tactus_core.policy.encoder import OnnxEncoder
from tactus_core.policy.fast import make_fast_policy
from tactus_core.policy.planner import make_planner
from tactus_core.policy.resolved import JointTargets
from tactus_core.policy.slow import DiffusionPolicy
from tactus_core.policy.specs import RemoteSpec
from tactus_core.ports import FastPolicy, SlowPolicy
from tactus_core.types import RobotDescription
from tactus_nodes.base import NodeConfig, TactusNode


@dataclass(frozen=True, kw_only=True)
class BundleConfig(NodeConfig, EngineConfig):
    """Parameters of a node that runs networks."""

    bundle: str = param(doc="Policy bundle, a name or a folder.")


def load_bundle(node: TactusNode, folder: Path, graphs: Collection[str]) -> Bundle:
    """Return a bundle for a node with a `BundleConfig`, ready to run these of its graphs.

    The reference replaces an engine that cannot be had, with a warning.
    """
    bundle = Bundle.load(folder, node.config, node.get_logger().warning, graphs)
    bundle.warm_up()
    return bundle


def load_encoder(node: TactusNode, folder: Path) -> tuple[Card, OnnxEncoder]:
    """Return the card of the bundle in `folder`, and what perception runs of it."""
    bundle = load_bundle(node, folder, ("encoder",))
    return bundle.card, OnnxEncoder(bundle)


def load_planner(node: TactusNode, folder: Path) -> tuple[Card, SlowPolicy]:
    """Return the card of the bundle in `folder`, and what the slow policy runs of it."""
    card, config = load_card(folder / "card.yaml"), node.config
    if (config.cache or config.join != "replace") and (config.remote or isinstance(card.generator, RemoteSpec)):
        raise ConfigError(
            f"bundle '{card.id}' is planned for by a server, which knows nothing of caches or of chunks before: leave `cache` empty and "
            "`join` at replace."
        )
    elsewhere = (config.instruction, config.remote, config.remote_timeout_s)
    return card, make_planner(card, partial(load_own_planner, node, folder), time.monotonic, *elsewhere)


def load_own_planner(node: TactusNode, folder: Path) -> DiffusionPolicy:
    """Return what plans by the networks of the bundle in `folder`; a cache says how its plans are sampled."""
    bundle, config = load_bundle(node, folder, ("denoiser", "planner")), node.config
    if not config.cache:
        return DiffusionPolicy(bundle, config.seed, join=config.join)
    path = Path(config.cache)
    key = DenoiserCache.load(path).key
    return DiffusionPolicy(bundle, config.seed, sampler=key.sampler, steps=key.steps, join=config.join, cache=path)


def load_fast(node: TactusNode, robot: RobotDescription, kinematics: Kinematics, folder: Path) -> tuple[Card, FastPolicy]:
    """Return the card of the bundle in `folder`, and what the fast policy runs of it."""
    bundle = load_bundle(node, folder, ("fast_head", "residual"))
    policy = make_fast_policy(bundle, robot)
    return bundle.card, JointTargets(policy, kinematics) if node.config.apart else policy
