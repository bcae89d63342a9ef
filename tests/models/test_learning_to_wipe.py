"""Learning to wipe from what is felt: paid by the force, without demonstrations, and only along the axis that presses."""
# ruff: noqa: E402 (torch is asked for before anything that imports it)

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

torch = pytest.importorskip(
    "torch", reason="tactus_models trains with torch, which is not installed here: pip install -r requirements/train.txt"
)

from tactus_core.learning.transitions import Transitions
from tactus_core.policy.bundle import Bundle, find_bundle
from tactus_models.config import LEARNING
from tactus_models.layout import FORCE_AT
from tactus_models.learning.recipes import RECIPES, pressed, recipe_of
from tactus_models.learning.residual import ResidualLearner
from tactus_models.residual.train import limits_of

SMALL = replace(
    LEARNING["wipe"].residual, steps=3000, warm_up_steps=400, warm_up_updates=400, updates_per_step=2, batch=32, hidden=32, critics=3,
    discount=0.5, actor_learning_rate=1e-3, critic_learning_rate=3e-3,
)  # fmt: skip
CONFIG = replace(LEARNING["wipe"], residual=SMALL)
STIFFNESS_N_m, BASE_m = 1275.0, 0.0115


def felt(forces_N, **changed):
    """An episode in which these forces pressed the pad."""
    count = len(forces_N)
    observed = np.zeros((count, 82))
    observed[:, FORCE_AT] = -np.asarray(forces_N)
    told = {"success": False, "ended": True, "reward_source": "label", "bundle": "b", "bundle_hash": "", "seed": 0, "episode": 0}
    flags = {name: np.zeros(count, bool) for name in ("intervened", "onset")}
    rows = {"correction": np.zeros((count, 6)), "executed": np.zeros((count, 6)), "stamp_s": 0.05 * np.arange(count)}
    return replace(Transitions(observed=observed, **rows, **flags, **told), **changed)


@given(st.floats(-5.0, 60.0))
def test_a_press_in_the_middle_of_the_band_is_paid_best_and_none_outside(force_N):
    (paid,) = pressed(felt([force_N]))
    assert -0.05 <= paid <= pressed(felt([8.5]))[0] == 0.05
    assert (paid > 0.0) == (2.0 < force_N < 15.0)


def test_insertion_learns_as_ever():
    for method, recipe in RECIPES.items():
        assert recipe_of(method, "insert") is recipe


def lived(learner, number):
    """An arm of another stiffness: the base presses as deep as ever, and too hard; every 15th row a human begins to help for five."""
    rng, force_N, rows = np.random.default_rng(number), 0.0, {name: [] for name in ("observed", "correction", "executed", "intervened")}
    agent = learner._studies.agent
    for row in range(60):
        observed = np.zeros(82)
        observed[FORCE_AT], observed[-4] = -force_N, BASE_m
        share = (np.zeros(6) if agent is None else agent.correction(observed)) + 0.4 * rng.standard_normal(6)
        human = 15 <= row % 30 < 20 and number % 3 == 0
        done = np.zeros(6)
        done[2] = 0.0067 if human else BASE_m + limits_of(SMALL)[2] * np.clip(share, -1.0, 1.0)[2]
        force_N = STIFFNESS_N_m * done[2]
        for name, value in (("observed", observed), ("correction", share), ("executed", done), ("intervened", human)):
            rows[name].append(value)
    intervened = np.array(rows["intervened"])
    onset = intervened & ~np.append(False, intervened[:-1])
    arrays = {name: np.array(rows[name]) for name in ("observed", "correction", "executed")}
    return felt(np.zeros(60), **arrays, intervened=intervened, onset=onset, episode=number)


def test_a_press_that_is_too_hard_is_taken_back_without_a_demonstration(tmp_path):
    learner = ResidualLearner(find_bundle("wipe-rdp"), [], recipe_of("hil", "wipe"), CONFIG, 0)
    learner.write(tmp_path / "before", "1+hil.0", explore=False)
    for number in range(25):
        learner.take(lived(learner, number))
    learner.write(tmp_path / "after", "1+hil.1", explore=False)
    observed = np.zeros(82)
    observed[FORCE_AT], observed[-4] = -8.5, BASE_m
    shares = []
    for name in ("before", "after"):
        bundle = Bundle.load(tmp_path / name)
        shares.append(bundle.run("residual", observation=bundle.normalisers["residual"].normalise(observed)[None])[0])
    assert not shares[0].any(), "the base acts alone until something was learnt"
    force_N = STIFFNESS_N_m * (BASE_m + limits_of(SMALL)[2] * shares[1][2])
    assert force_N == pytest.approx(8.5, abs=2.5)
    assert bundle.card.residual.axes == "z"
