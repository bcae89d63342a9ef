"""From demonstrations to bundles that the robot's own runtime loads and runs."""
# ruff: noqa: E402 (torch is asked for before anything that imports it)

import numpy as np
import pytest
import yaml

torch = pytest.importorskip(
    "torch", reason="tactus_models trains with torch, which is not installed here: pip install -r requirements/train.txt"
)

import wiping_data

from tactus_core.errors import BundleError
from tactus_core.history import StateArrays
from tactus_core.policy.bundle import Bundle
from tactus_core.policy.encoder import OnnxEncoder
from tactus_core.policy.slow import DiffusionPolicy
from tactus_models import train
from tactus_models.config import DiffusionConfig
from tactus_models.dataset import load_episode
from tactus_models.export import check_parity
from tactus_models.networks import ImageEncoder

SETTINGS = {
    "threads": 1,
    "tokenizer": {"steps": 20, "further_steps": 5, "hidden": 16, "gru_hidden": 16, "batch": 16},
    "diffusion": {"steps": 4, "further_steps": 2, "batch": 4, "features": 16, "encoder_widths": [8, 16], "unet_widths": [16, 32]},
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    wiping_data.write(folder / "data", 3, 4.0)
    wiping_data.write(folder / "data" / "slow", 2, 4.0)
    (folder / "config.yaml").write_text(yaml.safe_dump(SETTINGS))
    arguments = ["--data", folder / "data", "--work", folder / "work", "--bundles", folder / "bundles", "--config", folder / "config.yaml"]
    assert train.main([str(a) for a in arguments]) == 0
    return folder


@pytest.mark.parametrize("name", ["wipe-rdp", "wipe-chunk"])
def test_a_bundle_plans_as_a_robot_would_use_it(trained, name):
    bundle = Bundle.load(trained / "bundles" / name)
    episode = load_episode(trained / "data" / "0.npz")
    states: StateArrays = episode.states
    tick = int(episode.anchors[5])
    chunk = DiffusionPolicy(bundle).infer(OnnxEncoder(bundle).encode({"wrist": episode.images[5:6]}), states, float(states.stamp_s[tick]))
    assert chunk.data.shape == bundle.card.sample_shape
    assert np.isfinite(chunk.data).all()
    assert bundle.card.training["episodes"] == [3, 2]


def test_the_head_takes_windows_of_any_length(trained):
    bundle = Bundle.load(trained / "bundles" / "wipe-rdp")
    for rows in (1, 2, 77):
        latent = np.zeros((1, *bundle.card.sample_shape), dtype=np.float32)
        assert bundle.run("fast_head", latent=latent, window=np.zeros((1, rows, 14), dtype=np.float32)).shape == (1, 10)


def test_other_weights_are_noticed(trained):
    bundle = Bundle.load(trained / "bundles" / "wipe-chunk")
    other = ImageEncoder(DiffusionConfig(features=16, encoder_widths=(8, 16)))
    with pytest.raises(BundleError, match="differs from its network"):
        check_parity(bundle, {"encoder": other})


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--stages", "tokeniser"], "unknown tokeniser"),
        (["--data", "/nowhere"], "no demonstrations"),
        (["--config", "/no.yaml"], "no such file"),
    ],
)
def test_bad_arguments_are_one_paragraph(arguments, says, capsys, tmp_path):
    assert train.main(["--work", str(tmp_path), *arguments]) == 1
    assert says in capsys.readouterr().err
