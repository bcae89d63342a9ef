"""A scripted operator beside the graph of learn.launch.xml: it helps by a puck, and what was recorded is experience."""

import os
from pathlib import Path

import numpy as np
import pytest
import yaml
from conftest import calmed, stub_environment

from tactus_cli.bags import Actors, Collecting
from tactus_cli.launching.session import Launched
from tactus_core.datasets.bag import Bag
from tactus_core.datasets.spans import spans
from tactus_core.learning.bags import Lived
from tactus_core.learning.labels import SETTLE_S
from tactus_core.learning.transitions import Experience, load
from tactus_core.policy.card import file_sha256
from tactus_core.policy.specs import ExplorationSpec, ResidualSpec
from tactus_core.types import ChunkKind
from tactus_nodes import topics
from tactus_nodes.client import GraphSession

LEARN = Path(__file__).parents[2] / "launch" / "learn.launch.xml"
PATIENCE_S = 60.0
DT_S = 0.05


@pytest.fixture
def acted(bundles, tmp_path):
    """A policy that explores. Its proposals hang on chunk and time alone: what the busy machine lost on the way changes nothing."""
    exploring = ResidualSpec(DT_S, 0.008, 0.05, ExplorationSpec(noise=0.2, noise_time_s=0.2))
    return calmed(bundles.write_bundle(tmp_path / "bundles" / "stub", ChunkKind.ACTION, "stub_robot", residual=exploring))


def test_an_episode_that_somebody_helped_in_becomes_experience(acted, robot, tmp_path):
    params = tmp_path / "params.yaml"
    patient = {"teleop": {"input_timeout_s": 0.5, "state_timeout_s": 0.5}, "guard": {"estop_timeout_s": 2.0}}
    params.write_text(yaml.safe_dump({name: {"ros__parameters": values} for name, values in patient.items()}))
    folder = Path(os.path.relpath(tmp_path)) / "x"  # a socket's path is short
    values = {"task": "stub", "robot": "stub_robot", "shift": "patience", "bundle": str(acted), "params": str(params)}
    values |= {"operator": "scripted", "experience": str(folder)}
    verdicts, versions = [], []
    environment = os.environ | stub_environment(acted)
    with Launched(LEARN, values, folder=tmp_path / "logs", environment=environment) as launched, GraphSession(launched.check) as session:
        session.listen(topics.VERDICT.deeper(100), verdicts.append)
        session.listen(topics.VERSION.deeper(10), versions.append)
        session.wait_ready(PATIENCE_S)
        session.wait_for((folder / "bag" / "metadata.yaml").is_file, PATIENCE_S, "the bag of the first episode")
    assert any(verdict.intervention for verdict in verdicts)
    assert {version.noise for version in versions} == {0.2}
    bag = Bag(folder / "bag")
    assert bag.reach_ns[1] - spans(bag)[0].end_ns > SETTLE_S * 1e9, "what it came to can still be seen"

    experience = Experience(tmp_path / "experience")
    found = list(Collecting(experience, Actors((str(acted),), DT_S)).take(folder / "bag"))
    lived = found[-1]
    assert isinstance(lived, Lived), found
    episode = load(experience.path(0))
    assert (episode.success, episode.ended, episode.reward_source, episode.seed) == (True, True, "label", -1)
    assert episode.bundle_hash == file_sha256(acted / "card.yaml")
    assert episode.interventions >= 1
    assert 0 < episode.intervened.sum() < len(episode)
    assert lived.off.max() <= 1e-6, "what was tried is computed anew"
    assert np.abs(episode.correction).max(axis=1).min() > 0.0
    Collecting(experience, Actors((str(acted),), DT_S)).take(folder / "bag")
    assert len(experience.paths()) == 1, "each episode once"
