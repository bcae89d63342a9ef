"""What a residual practises is what it does when it is run: the same proposals, to the bit, from the same decisions."""

import importlib.util
import itertools
from pathlib import Path

import numpy as np
import pytest

from tactus_core.policy.bundle import Bundle
from tactus_core.policy.specs import ResidualSpec
from tactus_core.types import ChunkKind
from tactus_sim.insert import TASK
from tactus_sim.lockstep import Lockstep
from tactus_sim.practice import LockstepPractice

SPEC = ResidualSpec(dt_s=0.05, limit_m=0.008, limit_rad=0.05)
TICKS = 250  # past the second chunk, which comes while a decision holds


@pytest.fixture
def bundles(tmp_path):
    """A base that means nothing, alone and with a residual; written by the helper of core's tests."""
    spec = importlib.util.spec_from_file_location("bundles", Path(__file__).parents[1] / "core" / "conftest.py")
    helper = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(helper)
    kind, robot = ChunkKind.LATENT, TASK.robot.name
    residual = helper.write_bundle(tmp_path / "residual" / "one", kind, robot, gain=1.0, residual=SPEC)
    return Bundle.load(helper.write_bundle(tmp_path / "base" / "one", kind, robot)), Bundle.load(residual)


def test_practice_is_what_is_run(bundles, monkeypatch):
    base, residual = bundles

    def decide(observed):
        return residual.run("residual", observation=residual.normalisers["residual"].normalise(observed)[None])[0].astype(np.float64)

    practised = []
    run = Lockstep.ticks
    monkeypatch.setattr(Lockstep, "ticks", lambda self, seed: itertools.islice(run(self, seed), TICKS))
    act = LockstepPractice.act
    monkeypatch.setattr(LockstepPractice, "act", lambda *arguments: practised.append(act(*arguments)) or practised[-1])
    episode = LockstepPractice(TASK, base, SPEC).episode(5, decide).transitions
    proposed = [moment.proposal for moment in Lockstep(TASK, residual).ticks(5) if moment.proposal is not None]
    assert len(proposed) == len(practised) > 100
    for one, other in zip(proposed, practised, strict=True):
        np.testing.assert_array_equal(one.target.T_base_tcp, other.target.T_base_tcp)
    assert len(episode.observed) == len(episode.correction) == -(-len(proposed) // 10)
    assert np.abs(episode.correction).max() > 0.01
