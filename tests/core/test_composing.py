"""A composed bundle predicts the weighted sum of what its parents predict, each from its own observation; what does not fit is refused."""

import dataclasses
from dataclasses import replace

import numpy as np
import onnx
import pytest
from conftest import BEFORE_S, DDIM, write_bundle
from onnx import helper, numpy_helper

from tactus_core.errors import BundleError, ConfigError
from tactus_core.policy.bundle import Bundle, example_observation
from tactus_core.policy.card import dump_card, file_sha256, load_card
from tactus_core.policy.composing import Parent, compose
from tactus_core.policy.encoder import OnnxEncoder
from tactus_core.policy.signals import ObservedSpec
from tactus_core.policy.slow import DiffusionPolicy
from tactus_core.policy.specs import CameraSpec, ChunkSpec, DirectSpec, FlowSpec, LatentSpec, ObservationSpec, ResidualSpec, StreamSpec
from tactus_core.types import ChunkKind

SMALL = (4, 4, 3)
ONE = {"wrist": CameraSpec(SMALL, (0.0,))}
# Twice at the first one's camera, and once at another; the wrench alone is felt.
TWO = {"wrist": CameraSpec(SMALL, (-0.1, 0.0)), "front": CameraSpec(SMALL, (0.0,))}
FELT = (ObservedSpec("wrench", (0.0, *BEFORE_S)),)


def parent(folder, seed, kind=ChunkKind.ACTION, **changes):
    """Write a bundle whose denoiser and normaliser of observations follow from `seed`."""
    card = load_card(write_bundle(folder, kind, **changes) / "card.yaml")
    rng, graph = np.random.default_rng(seed), card.graphs["denoiser"]
    model = onnx.load(folder / graph.file)
    (given,) = model.graph.output
    weights = 0.1 * rng.standard_normal((graph.inputs[2].shape[1], np.prod(card.sample_shape)))
    model.graph.initializer.append(numpy_helper.from_array(weights.astype(np.float32), "weights"))
    model.graph.initializer.append(numpy_helper.from_array(np.array(card.sample_shape), "shape"))
    del model.graph.node[:]
    model.graph.node.extend(
        [
            helper.make_node("MatMul", ["condition", "weights"], ["flat"]),
            helper.make_node("Reshape", ["flat", "shape"], ["shaped"]),
            helper.make_node("Mul", ["sample", "half"], ["less"]),
            helper.make_node("Sub", ["less", "shaped"], [given.name]),
        ]
    )
    onnx.save(model, folder / graph.file)
    graphs = {**card.graphs, "denoiser": replace(graph, sha256=file_sha256(folder / graph.file))}
    dump_card(replace(card, graphs=graphs), folder / "card.yaml")
    bundle = Bundle.load(folder)
    low_dim = bundle.normalisers["low_dim"]
    scaled = replace(low_dim, offset=rng.standard_normal(low_dim.offset.shape).astype(np.float32), scale=low_dim.scale * np.float32(2.0))
    return Parent(folder, replace(bundle, normalisers={**bundle.normalisers, "low_dim": scaled}))


@pytest.fixture
def first(tmp_path):
    return parent(tmp_path / "first", 1, observation=ObservationSpec(ONE, FELT))


@pytest.fixture
def second(tmp_path):
    return parent(tmp_path / "second", 2, observation=ObservationSpec(TWO, (*FELT, ObservedSpec("tcp_pose", (0.0,)))))


def images(cameras, seed=0):
    rng = np.random.default_rng(seed)
    return {name: rng.integers(0, 256, (len(camera.at_s), *camera.shape)).astype(np.uint8) for name, camera in cameras.items()}


def numbers(*parents):
    rng = np.random.default_rng(7)
    return [rng.standard_normal(of.bundle.card.low_dim_size) for of in parents]


def plan(bundle, features, observed):
    return DiffusionPolicy(bundle, 5).plan(features, observed)


def test_each_parent_gets_its_own_observation(first, second, tmp_path):
    card = compose([first, second], (0.3, 0.7), tmp_path / "both")
    both, seen = Bundle.load(tmp_path / "both"), images(TWO)
    assert card.name == "both"
    assert {name: camera.at_s for name, camera in card.observation.cameras.items()} == {"wrist": (-0.1, 0.0), "front": (0.0,)}
    features = [
        OnnxEncoder(first.bundle).encode({"wrist": seen["wrist"][-1:]}),
        OnnxEncoder(second.bundle).encode(seen),
    ]
    np.testing.assert_array_equal(OnnxEncoder(both).encode(seen), np.concatenate(features))
    observed = numbers(first, second)
    normalised = both.normalisers["low_dim"].normalise(np.concatenate(observed))
    apart = [of.bundle.normalisers["low_dim"].normalise(values) for of, values in zip((first, second), observed, strict=True)]
    np.testing.assert_array_equal(normalised, np.concatenate(apart))
    shared = {name: example_observation(card)["denoiser"][name] for name in ("sample", "timestep")}
    got = both.run("denoiser", **shared, condition=np.concatenate([*features, normalised])[None])
    parts = [
        of.bundle.run("denoiser", **shared, condition=np.concatenate((seen_by, felt))[None])
        for of, seen_by, felt in zip((first, second), features, apart, strict=True)
    ]
    np.testing.assert_allclose(got, 0.3 * parts[0] + 0.7 * parts[1], rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("alone", [0, 1])
def test_all_the_weight_on_one_parent_is_that_parent_bit_by_bit(first, second, tmp_path, alone):
    compose([first, second], (1.0 - alone, float(alone)), tmp_path / "both")
    sizes, observed = [of.bundle.card.feature_size for of in (first, second)], numbers(first, second)
    features = [np.full(size, 0.1 + i, np.float32) for i, size in enumerate(sizes)]
    expected = plan((first, second)[alone].bundle, features[alone], observed[alone])
    np.testing.assert_array_equal(plan(Bundle.load(tmp_path / "both"), np.concatenate(features), np.concatenate(observed)), expected)


@pytest.mark.parametrize("weights", [(0.5, 0.5), (0.5, 0.25, 0.25)])
def test_a_bundle_with_itself_is_itself_bit_by_bit(first, tmp_path, weights):
    compose([first] * len(weights), weights, tmp_path / "same")
    features, (observed,) = np.full(first.bundle.card.feature_size, 0.2, np.float32), numbers(first)
    together = np.tile(features, len(weights)), np.tile(observed, len(weights))
    np.testing.assert_array_equal(plan(Bundle.load(tmp_path / "same"), *together), plan(first.bundle, features, observed))


@pytest.mark.parametrize(
    ("kind", "cameras", "generator"), [(ChunkKind.LATENT, ONE, DDIM), (ChunkKind.ACTION, {}, FlowSpec(4))], ids=["latent", "flow"]
)
def test_latents_and_velocities_are_composed_too(tmp_path, kind, cameras, generator):
    parents = [parent(tmp_path / str(seed), seed, kind, observation=ObservationSpec(cameras, FELT), generator=generator) for seed in (1, 2)]
    compose(parents, (1.0, 0.0), tmp_path / "both")
    both, observed = Bundle.load(tmp_path / "both"), np.tile(numbers(parents[0])[0], 2)
    features = np.zeros(both.card.feature_size, np.float32)
    expected = plan(parents[0].bundle, features[: parents[0].bundle.card.feature_size], observed[: len(observed) // 2])
    np.testing.assert_array_equal(plan(both, features, observed), expected)


def test_the_stricter_promise_holds(first, tmp_path):
    ages = dict(first.bundle.card.streams, image=StreamSpec(0.2, "wait"))
    other = parent(tmp_path / "other", 3, observation=ObservationSpec(ONE, FELT), streams=ages, replan_s=0.3, validity_s=0.9)
    card = compose([first, other], (0.5, 0.5), tmp_path / "both")
    assert (card.replan_s, card.validity_s, card.streams["image"].max_age_s) == (0.3, 0.9, 0.2)
    assert [(of["bundle"], of["weight"]) for of in card.training["composed_of"]] == [("first@1", 0.5), ("other@1", 0.5)]


REFUSED = {
    "differ in generator": {"generator": replace(DDIM, prediction="sample")},
    "differ in generator: .*train_steps=100.*train_steps=50": {"generator": replace(DDIM, train_steps=50)},
    "schedule='linear'": {"generator": replace(DDIM, schedule="linear")},
    "differ in chunk": {"chunk": ChunkSpec(dt_s=0.05, steps=40, past_steps=0)},
    "differ in kind": {"kind": ChunkKind.LATENT, "latent": LatentSpec(8, 4, 0.02)},
    "differ in task": {"task": "pour"},
    "has a residual": {"residual": ResidualSpec(dt_s=0.05, limit_m=0.008, limit_rad=0.05)},
    "without denoising steps": {"generator": DirectSpec()},
    "differ in camera 'wrist'": {"observation": ObservationSpec({"wrist": CameraSpec((8, 8, 3), (0.0,))}, FELT)},
}


@pytest.mark.parametrize("message", REFUSED)
def test_what_does_not_fit_is_refused_by_name(first, tmp_path, message):
    changes = {"observation": ObservationSpec(ONE, FELT), "kind": ChunkKind.ACTION, **REFUSED[message]}
    other = Parent.load(write_bundle(tmp_path / "other", **changes))
    with pytest.raises(BundleError, match=message):
        compose([first, other], (0.5, 0.5), tmp_path / "both")
    assert not (tmp_path / "both").exists()


def test_other_units_and_other_versions_are_refused(first, tmp_path):
    action = first.bundle.normalisers["action"]
    apart = {**first.bundle.normalisers, "action": replace(action, scale=action.scale + np.float32(1e-5))}
    other = dataclasses.replace(first, bundle=replace(first.bundle, normalisers=apart))
    with pytest.raises(BundleError, match="normalisers 'action' differ by up to 1e-05, allowed is 1e-06"):
        compose([first, other], (0.5, 0.5), tmp_path / "both")
    newer = parent(tmp_path / "newer", 2, observation=ObservationSpec(ONE, FELT))
    model = onnx.load(newer.folder / "encoder.onnx")
    model.opset_import[0].version += 1
    onnx.save(model, newer.folder / "encoder.onnx")
    with pytest.raises(BundleError, match="different versions of ONNX"):
        compose([first, newer], (0.5, 0.5), tmp_path / "both")
    assert not (tmp_path / "both").exists()


@pytest.mark.parametrize("weights", [(0.5, 0.6), (1.5, -0.5), (1.0,), (float("nan"), 0.5)])
def test_weights_that_do_not_sum_to_one_are_refused(first, tmp_path, weights):
    with pytest.raises(ConfigError, match="that sum to 1"):
        compose([first, first], weights, tmp_path / "both")
