"""LeRobot's checkpoints: what LeRobot plans from them is what we plan. tests/models/lerobot/*.json hold what it made of them."""
# ruff: noqa: E402 (torch is asked for before anything that imports it)

import json
import os
import re
import subprocess
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="importing builds networks with torch: pip install -r requirements/train.txt")
pytest.importorskip("safetensors", reason="checkpoints are safetensors: pip install -r requirements/train.txt")

import lerobot_tiny as tiny
from safetensors.numpy import save_file

from tactus_core.errors import ConfigError, DataError
from tactus_core.policy.bundle import Bundle, Normaliser
from tactus_core.policy.encoder import OnnxEncoder
from tactus_core.policy.sampling import make_sampler
from tactus_core.policy.slow import DiffusionPolicy
from tactus_hardware.robots.so101 import SO101
from tactus_models.imported.files import read_tensors
from tactus_models.imported.images import Preparation
from tactus_models.lerobot.bundle import Meaning, camera_name, generator, import_checkpoint
from tactus_models.lerobot.checkpoint import Checkpoint
from tactus_models.lerobot.config import ActConfig, DiffusionConfig, read_config
from tactus_models.lerobot.networks import networks

JOINTS = ("arm_position",)
MEANING = Meaning(SO101, JOINTS, JOINTS, 30.0, {}, "none")
PARITY = 1e-4


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Return the folder of a case's checkpoint, written once."""
    folder, done = tmp_path_factory.mktemp("lerobot"), {}

    def write(case, old=False):
        if (case, old) not in done:
            kept = tiny.recorded(case)
            done[case, old] = tiny.write(folder / f"{case}{old}", kept["config"], kept["shapes"], old)
        return done[case, old]

    return write


@torch.no_grad()
def planned(folder, state):
    """Return a chunk's rows by the networks, without ONNX: of a state whose parts have these sizes."""
    checkpoint = Checkpoint.load(folder)
    config, seen = checkpoint.config, tiny.inputs(json.loads((folder / "config.json").read_text()))
    _, modules = networks(checkpoint, state, folder)
    features = modules["encoder"](*(torch.from_numpy(seen[key])[None] for key in checkpoint.features.images))
    normalised = checkpoint.normalisers["observation.state"].normalise(seen["observation.state"])
    parts = np.split(normalised, np.cumsum(state)[:-1], axis=1)
    condition = torch.cat([features, torch.from_numpy(np.concatenate([part.ravel() for part in parts]))[None]], dim=1)
    if "planner" in modules:
        sample = modules["planner"](condition).numpy()
    else:

        def denoise(sample, timestep):
            return modules["denoiser"](torch.from_numpy(sample), torch.tensor([timestep]), condition).numpy()

        sample = make_sampler(generator(config)).sample(denoise, seen["noise"][None], np.random.default_rng(0))
    return checkpoint.normalisers["action"].unnormalise(sample[0])[config.n_obs_steps - 1 :]


def agrees(rows, case):
    """Tell whether rows begin as LeRobot's, which ends where it plans anew."""
    expected = np.array(tiny.recorded(case)["rows"])
    return np.abs(rows[: len(expected)] - expected).max() <= PARITY


def test_statistics_inside_the_weights_are_those_of_the_files(written):
    inside, files = (Checkpoint.load(written("act_pre_norm", old)) for old in (True, False))
    assert inside.weights.keys() == files.weights.keys()
    assert inside.normalisers.keys() == files.normalisers.keys()
    for key, normaliser in files.normalisers.items():
        np.testing.assert_array_equal(inside.normalisers[key].offset, normaliser.offset)
        np.testing.assert_array_equal(inside.normalisers[key].scale, normaliser.scale)


@pytest.mark.parametrize("case", ["diffusion_two_cameras", "diffusion_shared_encoder", "act_pre_norm"])
def test_options_plan_as_lerobot(written, case):
    assert agrees(planned(written(case, old=case == "act_pre_norm"), [6]), case)


def test_a_state_of_several_signals_plans_as_lerobot(written):
    assert agrees(planned(written("diffusion_two_cameras"), [1, 3, 2]), "diffusion_two_cameras")


@pytest.mark.parametrize("case", ["diffusion", "act"])
def test_a_bundle_plans_as_lerobot(written, case, tmp_path):
    import_checkpoint(written(case), MEANING, case, tmp_path)
    bundle, seen = Bundle.load(tmp_path), tiny.inputs(tiny.recorded(case)["config"])
    features = OnnxEncoder(bundle).encode({camera_name(key): image for key, image in seen.items() if "images" in key})
    rows = DiffusionPolicy(bundle, tiny.SEED).plan(features, seen["observation.state"].ravel().astype(np.float64))
    assert agrees(rows, case)
    assert rows.shape == (bundle.card.chunk.steps, 6)
    assert bundle.card.validity_s > bundle.card.replan_s


def test_units_of_joints_are_in_the_normalisers():
    rng, units = np.random.default_rng(1), {"gripper": (0.02, -0.1), "shoulder_pan": (np.pi / 180, 0.0)}
    of_checkpoint = Normaliser(rng.normal(0.0, 20.0, 6).astype(np.float32), rng.uniform(5.0, 40.0, 6).astype(np.float32))
    in_rad = replace(MEANING, units=units).in_radians(JOINTS, of_checkpoint)
    x = rng.normal(0.0, 30.0, 6)
    unit, zero = np.array([units.get(joint, (1.0, 0.0)) for joint in SO101.arm_joints]).T
    np.testing.assert_allclose(in_rad.normalise(zero + unit * x), of_checkpoint.normalise(x), atol=1e-4)


@pytest.mark.parametrize(
    ("shape", "resize", "crop"), [((37, 52), (20, 31), (17, 30)), ((20, 30), (40, 50), None), ((21, 32), None, (16, 31))]
)
def test_images_are_prepared_as_torch_does(shape, resize, crop):
    rng = np.random.default_rng(0)
    image = torch.from_numpy(rng.integers(0, 256, (2, *shape, 3)).astype(np.uint8))
    normaliser = Normaliser(np.array([0.4, 0.5, 0.6], np.float32), np.array([0.2, 0.25, 0.3], np.float32))
    expected = torch.from_numpy(normaliser.normalise(image.numpy() / 255.0)).permute(0, 3, 1, 2)
    if resize is not None:
        expected = torch.nn.functional.interpolate(expected, resize, mode="bilinear", antialias=True)
    if crop is not None:
        top, left = (round((whole - part) / 2.0) for whole, part in zip(expected.shape[2:], crop, strict=True))
        expected = expected[:, :, top : top + crop[0], left : left + crop[1]]
    assert (Preparation(shape, normaliser, resize, crop)(image) - expected).abs().max() < 1e-5


def test_what_never_varied_is_not_blown_up(copied):
    known = tiny.statistics(tiny.recorded("act")["config"])
    known["observation.state"]["std"][2] = known["action"]["std"][1] = 0.0
    tiny.write_processors(copied, tiny.recorded("act")["config"], known)
    normalisers = Checkpoint.load(copied).normalisers
    mean = known["observation.state"]["mean"]
    assert normalisers["observation.state"].normalise(mean + 1e-3)[2] == pytest.approx(1e-3, rel=1e-3)
    assert normalisers["action"].unnormalise(np.full(6, 5.0, np.float32))[1] == pytest.approx(known["action"]["mean"][1], abs=1e-6)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"type": "smolvla"}, "policy type 'smolvla' is not supported"),
        ({"vision_backbone": "resnet50"}, "'vision_backbone' must be one of resnet18, resnet34"),
        ({"flow_steps": 3}, "unknown parameter 'flow_steps'"),
        ({"prediction_type": "v_prediction"}, "'prediction_type' must be one of"),
        ({"noise_scheduler_type": "UniPC"}, "'noise_scheduler_type' must be one of"),
        ({"horizon": 9}, "want a multiple of 4"),
        ({"crop_shape": [60]}, "'crop_shape' must be two positive"),
        ({"crop_shape": [90, 90]}, "larger than the image"),
        ({"n_action_steps": 8}, "n_action_steps is 8"),
        ({"beta_schedule": "linear", "beta_end": 0.5}, "beta_start and beta_end"),
        ({"use_peft": True}, "use_peft is set"),
        ({"input_shapes": {}}, "LeRobot before 0.1"),
        ({"output_features": None}, "is damaged"),
        ({"horizon": None}, "'horizon' must be"),
    ],
)
def test_what_is_not_supported_is_refused_by_name(tmp_path, changed, says):
    path = tmp_path / "config.json"
    path.write_text(json.dumps(tiny.recorded("diffusion")["config"] | changed))
    with pytest.raises((ConfigError, DataError), match=re.escape(says)):
        read_config(path)


def test_an_ensemble_of_act_is_refused(tmp_path):
    path = tmp_path / "config.json"
    path.write_text(json.dumps(tiny.recorded("act")["config"] | {"temporal_ensemble_coeff": 0.01, "n_action_steps": 1}))
    with pytest.raises(ConfigError, match="temporal_ensemble_coeff"):
        read_config(path)


@pytest.fixture(scope="module")
def loaded(written):
    return Checkpoint.load(written("act"))


@pytest.fixture
def copied(written, tmp_path):
    """Return a checkpoint's folder to damage; its files are links, to be replaced and not written to."""
    for file in written("act").iterdir():
        os.link(file, tmp_path / file.name)
    return tmp_path


def replaced(path, data):
    path.unlink()
    path.write_bytes(data)


def step_of(folder, file, changed):
    steps = json.loads((folder / file).read_text())
    steps["steps"][0] |= changed
    replaced(folder / file, json.dumps(steps).encode())


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda f: replaced(f / "model.safetensors", (f / "model.safetensors").read_bytes()[:1_000_000]), "cut short"),
        (lambda f: (f / "model.safetensors").unlink(), "model.safetensors"),
        (lambda f: (f / "policy_postprocessor.json").unlink(), "policy_postprocessor.json"),
        (lambda f: (f / "policy_preprocessor.json").unlink(), "no statistics to normalise with"),
        (lambda f: replaced(f / "config.json", b"{"), "not valid JSON"),
        (lambda f: step_of(f, "policy_preprocessor.json", {"registry_name": "relative_actions_processor"}), "'relative_actions_processor'"),
        (lambda f: step_of(f, "policy_preprocessor.json", {"state_file": "../model.safetensors"}), "the name of a file beside it"),
        (lambda f: step_of(f, "policy_postprocessor.json", {"state_file": "model.safetensors"}), "statistic 'mean' of 'action'"),
    ],
)
def test_damage_is_named(copied, damage, says):
    damage(copied)
    with pytest.raises((DataError, ConfigError), match=re.escape(says)):
        Checkpoint.load(copied)


def test_numbers_that_are_not_finite_are_named(tmp_path):
    save_file(
        {"a": np.ones(3, np.float32), "model.action_head.bias": np.array([0, np.nan, np.inf], np.float32)}, tmp_path / "w.safetensors"
    )
    with pytest.raises(DataError, match=re.escape("2 of 3 numbers of 'model.action_head.bias'")):
        read_tensors(tmp_path / "w.safetensors")


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"model.action_head.bias": None}, "lacks 'model.action_head.bias'"),
        ({"model.more": torch.zeros(2)}, "'model.more', which the configuration has no place for"),
        ({"model.action_head.bias": torch.zeros(7)}, "'model.action_head.bias' has shape (7,)"),
    ],
)
def test_weights_of_another_configuration_are_refused(loaded, tmp_path, changed, says):
    weights = {name: values for name, values in (loaded.weights | changed).items() if values is not None}
    with pytest.raises(DataError, match=re.escape(says)):
        networks(replace(loaded, weights=weights), [6], tmp_path)


def test_every_key_that_shapes_a_policy_stands_in_the_page():
    page = (Path(__file__).parents[2] / "docs" / "policies.md").read_text()
    assert not [f.name for kind in (DiffusionConfig, ActConfig) for f in fields(kind) if f"`{f.name}`" not in page]


@pytest.mark.parametrize(
    ("meaning", "says"),
    [
        (replace(MEANING, action=("tcp_pose",)), "'action' has 6 numbers, tcp_pose (9) of robot 'so101' has 9"),
        (replace(MEANING, state=("arm_position", "wrench")), "'observation.state' has 6 numbers, arm_position (6) + wrench (6)"),
    ],
)
def test_signals_of_another_size_are_refused(written, meaning, says, tmp_path):
    with pytest.raises(ConfigError, match=re.escape(says)):
        import_checkpoint(written("act"), meaning, "act", tmp_path)


@pytest.mark.skipif(not os.environ.get("TACTUS_LEROBOT_PYTHON"), reason="TACTUS_LEROBOT_PYTHON names no Python with LeRobot installed")
@pytest.mark.parametrize("case", sorted(tiny.CASES))
def test_lerobot_itself_plans_what_was_recorded(written, case, tmp_path):
    np.savez(tmp_path / "inputs.npz", **tiny.inputs(tiny.recorded(case)["config"]))
    asked = json.dumps({"inputs": str(tmp_path / "inputs.npz"), "outputs": str(tmp_path / "rows.npy")})
    command = [os.environ["TACTUS_LEROBOT_PYTHON"], str(tiny.WORKER), str(written(case)), "1"]
    subprocess.run(command, input=asked + "\n", text=True, check=True, capture_output=True)
    assert agrees(np.load(tmp_path / "rows.npy"), case)
