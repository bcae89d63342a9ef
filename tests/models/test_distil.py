"""A transformer learns what a bundle's U-Net says; what it becomes runs with the bundle's own encoder and fast head."""
# ruff: noqa: E402 (torch is asked for before anything that imports it)

import json
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip(
    "torch", reason="tactus_models trains with torch, which is not installed here: pip install -r requirements/train.txt"
)

import wiping_data

from tactus_core.engines.blocks import cut
from tactus_core.errors import ConfigError
from tactus_core.policy.bundle import Bundle
from tactus_core.policy.encoder import OnnxEncoder
from tactus_core.policy.fast import make_fast_policy
from tactus_core.policy.slow import DiffusionPolicy
from tactus_models import distil, train
from tactus_models.config import WIPE, DistilConfig, TransformerConfig
from tactus_models.dataset import load_episode, prepare
from tactus_sim.robot import PANDA_ALLEGRO

CONFIG = replace(
    WIPE,
    distil=DistilConfig(network=TransformerConfig(width=16, layers=1, heads=2, dropout=0.0), batch=16, steps=40, learning_rate=1e-2),
    threads=1,
)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Return the folder of data, and what was trained by the shipped bundle on what it observed."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("distil")
    wiping_data.write(folder / "data", 2, 1.5)
    wiping_data.write(folder / "data" / "slow", 2, 1.5)
    config, stages = train.chosen_policy(CONFIG, "rdp-transformer")
    results = train.train_wipe(folder / "data", folder / "work", train.bundle_folders(folder, config), config, stages)
    return folder, results["distil"]


def test_the_student_comes_to_say_what_its_teacher_says(made):
    folder, result = made
    rows = [json.loads(line) for line in (folder / "work" / "distil.jsonl").read_text().splitlines()]
    differences = [row["plan_difference"] for row in rows if "plan_difference" in row]
    assert result.metrics["plan_difference"] == pytest.approx(differences[-1], abs=1e-6)
    assert len(differences) > 4
    assert (np.diff(differences) < 0.0).all(), "the averaged weights come nearer to the teacher from one validation to the next"


def test_all_but_the_denoiser_is_the_teachers_own(made):
    folder, _ = made
    ours, theirs = Bundle.load(folder / "wipe-rdp-transformer").card, Bundle.load("wipe-rdp").card
    changed = {name for name in theirs.graphs if ours.graphs[name].sha256 != theirs.graphs[name].sha256}
    assert changed == {"denoiser"}
    for name, of in Bundle.load("wipe-rdp").normalisers.items():
        np.testing.assert_array_equal(Bundle.load(folder / "wipe-rdp-transformer").normalisers[name].scale, of.scale)
    assert (ours.kind, ours.latent, ours.generator, ours.replan_s) == (theirs.kind, theirs.latent, theirs.generator, theirs.replan_s)
    assert ours.training["distilled"]["episodes"] == [2, 2]
    assert ours.training["base"]["bundle"] == theirs.id


def test_its_plans_are_decoded_by_touch_and_its_blocks_can_be_cached(made):
    folder, _ = made
    bundle = Bundle.load(folder / "wipe-rdp-transformer")
    episode = load_episode(folder / "data" / "0.npz")
    states, tick = episode.states, int(episode.anchors[5])
    features = OnnxEncoder(bundle).encode({"wrist": episode.images[5:6]})
    np.testing.assert_array_equal(features, OnnxEncoder(Bundle.load("wipe-rdp")).encode({"wrist": episode.images[5:6]}))
    chunk = DiffusionPolicy(bundle).infer(features, states, float(states.stamp_s[tick]))
    proposal = make_fast_policy(bundle, PANDA_ALLEGRO).act(chunk, states, float(states.stamp_s[tick + 40]))
    assert np.isfinite(proposal.target.T_base_tcp).all()
    assert len(cut((folder / "wipe-rdp-transformer" / "denoiser.onnx").read_bytes(), "it").blocks) == 3


def test_a_teacher_of_actions_is_refused(made):
    folder, _ = made
    data = prepare(folder / "data", folder / "work" / "samples", CONFIG.data)
    for name, says in (("wipe-chunk", "kind action"), ("insert-base", "task 'insert'")):
        with pytest.raises(ConfigError, match=says):
            distil.distil([data], folder / "work", folder / name, replace(CONFIG, distil=replace(CONFIG.distil, teacher=name)))
