"""Policies that observe an encoder which stands alone: trained on what it makes of images, run on the same."""
# ruff: noqa: E402 (torch is asked for before anything that imports it)

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip(
    "torch", reason="tactus_models trains with torch, which is not installed here: pip install -r requirements/train.txt"
)

import wiping_data
from safetensors.torch import save_file

from tactus_core.errors import ConfigError, DataError
from tactus_core.perception.beside import encoders_beside
from tactus_core.perception.encoder_card import load_encoder_card
from tactus_core.perception.encoders import ImageConfig
from tactus_core.policy.bundle import Bundle
from tactus_core.policy.encoded import Encoded
from tactus_core.policy.fast import make_fast_policy
from tactus_core.policy.slow import DiffusionPolicy
from tactus_models.config import INSERT, DiffusionConfig, ResidualConfig
from tactus_models.dataset import load_episode, prepare
from tactus_models.encoders.export import export_image
from tactus_models.encoders.frozen import Frozen
from tactus_models.encoders.networks import TouchNet
from tactus_models.imitation import train_base
from tactus_models.residual.demonstrations import demonstrated
from tactus_models.restored import restored
from tactus_sim.insert.peg import PANDA_ALLEGRO_PEG

TINY = DiffusionConfig(steps=3, batch=4, unet_widths=(16, 32), inference_steps=2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder with demonstrations, an encoder, and the bundle of a policy that was trained on what it makes of them."""
    folder = tmp_path_factory.mktemp("frozen")
    wiping_data.write(folder / "data", 2, 2.0)
    torch.manual_seed(0)
    save_file(TouchNet().state_dict(), folder / "weights.safetensors")
    fields = {"name": "touch-net", "version": "1", "licence": "none", "max_age_s": {"image": 0.3}}
    export_image("touchnet", folder / "weights.safetensors", folder / "encoder", ImageConfig(96, 96), None, **fields)
    config = replace(INSERT, diffusion=TINY, threads=1)
    train_base(folder / "data", folder / "work", folder / "bundle", config, None, Frozen.load(folder / "encoder"))
    return folder


def test_what_it_is_trained_on_is_what_it_runs_on(folder):
    bundle, episode, data = Bundle.load(folder / "bundle"), load_episode(folder / "data" / "0.npz"), folder / "work" / "samples"
    card, spec = bundle.card, Frozen.load(folder / "encoder").spec
    assert (dict(card.observation.cameras), dict(card.observation.encoders)) == ({}, {"touch_net": spec})
    assert (set(bundle.engines), card.streams["encoder/touch_net"].reaction) == ({"denoiser"}, "wait")
    assert not {"features", "encoder_widths", "shift_px"} & set(card.training)
    (encoder,), encoded = encoders_beside(card, [folder / "encoder"]).values(), Encoded(card)
    row = 5
    stamp_s = float(episode.states.stamp_s[episode.anchors[row]])
    encoded.hear("touch_net", stamp_s, encoder.encode(episode.images[row]), spec.sha256)
    np.testing.assert_array_equal(encoded.at(stamp_s), np.load(data / "encoded.npy")[row])
    chunk = DiffusionPolicy(bundle).infer(np.empty(0, np.float32), episode.states, stamp_s, encoded.at(stamp_s))
    assert chunk.data.shape == bundle.card.sample_shape
    assert np.isfinite(chunk.data).all()


def test_images_are_encoded_once_and_others_anew(folder):
    data, cache = prepare(folder / "data", folder / "work" / "samples", INSERT.data), folder / "work" / "samples"
    frozen, nobody = Frozen.load(folder / "encoder"), None
    seen = replace(frozen, encoder=nobody).see(data, cache)
    assert seen.encoded.shape == (len(data.seed), load_encoder_card(folder / "encoder").features)
    assert (seen.digest != data.digest, frozen.spec.sha256 in seen.digest) == (True, True)
    with pytest.raises(DataError, match="export the encoder for this one"):
        frozen.see(replace(data, image=data.image[:, :64], digest="cropped"), cache)
    assert not (cache / "encoded.json").exists()
    np.testing.assert_array_equal(frozen.see(data, cache).encoded, seen.encoded)


def test_what_learns_further_from_images_refuses_it(folder):
    bundle = Bundle.load(folder / "bundle")
    with pytest.raises(ConfigError, match="cannot be trained further"):
        restored(folder / "bundle", bundle)
    with pytest.raises(ConfigError, match="demonstrations show"):
        demonstrated(folder / "data", bundle, make_fast_policy(bundle, PANDA_ALLEGRO_PEG), ResidualConfig())
