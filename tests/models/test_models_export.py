"""From demonstrations to bundles that the robot's own runtime loads and runs."""
# ruff: noqa: E402 (torch is asked for before anything that imports it)

from dataclasses import replace

import numpy as np
import pytest
import yaml

torch = pytest.importorskip(
    "torch", reason="tactus_models trains with torch, which is not installed here: pip install -r requirements/train.txt"
)

import wiping_data

pytest.importorskip("tensorboardX", reason="residuals log for TensorBoard: pip install -r requirements/train.txt")

from tactus_core.errors import BundleError, DataError
from tactus_core.history import StateArrays
from tactus_core.policy.bundle import Bundle, Normaliser
from tactus_core.policy.encoder import OnnxEncoder
from tactus_core.policy.fast import make_fast_policy
from tactus_core.policy.slow import DiffusionPolicy
from tactus_core.policy.specs import ResidualSpec
from tactus_models import train
from tactus_models.config import INSERT, ResidualConfig
from tactus_models.dataset import load_episode
from tactus_models.export import check_parity
from tactus_models.imitation import train_base
from tactus_models.networks import ImageEncoder
from tactus_models.residual.demonstrations import demonstrated, replayed
from tactus_models.residual.export import export_residual
from tactus_models.residual.networks import OBSERVATION_SIZE, Actor
from tactus_sim.insert.peg import PANDA_ALLEGRO_PEG

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
    other = ImageEncoder((8, 16), 16)
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


@pytest.fixture(scope="module")
def untrained(trained):
    """A base by imitation alone, and with a residual that has learnt nothing."""
    config = replace(train.read_config(trained / "config.yaml", INSERT), minutes_diffusion=1.0)
    train_base(trained / "data", trained / "base", trained / "bundles" / "insert-base", config)
    size = np.ones(OBSERVATION_SIZE, np.float32)
    spec = ResidualSpec(dt_s=0.05, limit_m=0.008, limit_rad=0.05)
    bundles = trained / "bundles"
    to = bundles / "insert-residual"
    export_residual(bundles / "insert-base", to.name, Actor(16), Normaliser(0 * size, size), spec, to, {"steps": 0})
    return {name: Bundle.load(bundles / f"insert-{name}") for name in ("base", "residual")}


def test_insertion_trains_other_kinds_beside_its_base(tmp_path):
    config, stages = train.chosen_policy(INSERT, "transformer")
    assert (config.diffusion.policy, stages) == ("transformer", ("base",))
    assert train.bundle_folders(tmp_path, config) == {"base": tmp_path / "insert-transformer"}
    assert train.bundle_folders(tmp_path, INSERT) == {"base": tmp_path / "insert-base"}


def test_a_residual_that_has_learnt_nothing_proposes_what_the_base_does(untrained, trained):
    assert untrained["residual"].card.training["base"]["bundle"] == untrained["base"].card.id
    episode = load_episode(trained / "data" / "0.npz")
    states, proposed = episode.states, {}
    for name, bundle in untrained.items():
        stamp_s = float(states.stamp_s[episode.anchors[5]])
        chunk = DiffusionPolicy(bundle).infer(OnnxEncoder(bundle).encode({"wrist": episode.images[5:6]}), states, stamp_s)
        fast = make_fast_policy(bundle, PANDA_ALLEGRO_PEG)
        proposed[name] = [fast.act(chunk, states, stamp_s + 0.005 * i).target.T_base_tcp for i in range(100)]
    np.testing.assert_array_equal(proposed["base"], proposed["residual"])


def test_demonstrations_are_labelled_with_what_the_base_proposes_and_what_was_done(untrained, trained, tmp_path):
    config, fast = ResidualConfig(), make_fast_policy(untrained["base"], PANDA_ALLEGRO_PEG)
    replay = replayed(demonstrated(trained / "data", untrained["base"], fast, config), config)
    assert replay.size == 3 * len(range(60, 800, 10))  # 4 s each, without the history that the first needs
    assert np.isfinite(replay.observed).all()
    batch = replay.draw(64, np.random.default_rng(0))
    assert set(batch.gain.tolist()) != {0.0}
    np.savez(tmp_path / "old.npz", **{k: v for k, v in np.load(trained / "data" / "0.npz").items() if k != "executed_pose"})
    with pytest.raises(DataError, match="no 'executed_pose'"):
        demonstrated(tmp_path, untrained["base"], fast, config)
