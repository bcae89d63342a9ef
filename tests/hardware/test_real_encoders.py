"""Real gels and real depth through exported networks, whose weights are random: what is the same gives the same, what is not does not."""
# ruff: noqa: E402 (torch is asked for before anything that imports it)

import numpy as np
import pytest

torch = pytest.importorskip(
    "torch", reason="networks are exported with torch, which is not installed: pip install -r requirements/train.txt"
)

from real_depth import BIN, seen_from
from safetensors.torch import save_file

from tactus_core.perception.cloud import CloudConfig
from tactus_core.perception.encoders import CloudEncoder, ImageConfig, ImageEncoder
from tactus_hardware.recording import open_recording
from tactus_models.encoders.export import export_cloud, export_image
from tactus_models.encoders.networks import PointNet, TouchNet

FIELDS = {"name": "random", "version": "1", "licence": "none"}


def weights(network, path):
    torch.manual_seed(0)
    save_file(network().state_dict(), path)
    return path


def test_a_press_on_a_real_gel_shows_in_the_embedding_of_its_image(data, tmp_path):
    """By the source: no contact before frame 32 and after 51, held from 39 to 47. Features of those are far from what rest looks like."""
    path = data("tactile/gelsight_mini_touch_seq/touch_real_seq_320x240.gif")
    saved = weights(TouchNet, tmp_path / "w.safetensors")
    card = export_image("touchnet", saved, tmp_path, ImageConfig(240, 320), None, max_age_s={"touch_image": 0.1}, **FIELDS)
    encoder = ImageEncoder(tmp_path, card)
    features = np.array([encoder.encode(sample.value) for sample in open_recording(path).samples()])
    far = np.linalg.norm(features - features[:5].mean(axis=0), axis=1)
    assert far[39:48].min() > 2.0 * np.r_[far[:32], far[52:]].max()


def test_real_depth_pairs_become_features(data, tmp_path):
    folder = data(BIN)
    middle = np.loadtxt(folder / "bin-position.txt")
    low_m, high_m = (tuple(map(float, middle + offset)) for offset in ([-0.25, -0.2, -0.1], [0.25, 0.2, 0.3]))
    saved = weights(PointNet, tmp_path / "w.safetensors")
    card = export_cloud(saved, tmp_path, CloudConfig(low_m=low_m, high_m=high_m), max_age_s={"depth": 0.3}, **FIELDS)
    features = {}
    for number, name in ((0, "input-0"), (0, "background-0"), (1, "input-1")):
        depth, intrinsics, T = seen_from(folder, number, name)
        points, features[name] = CloudEncoder(tmp_path, card, T).encode(depth, intrinsics)
        assert points.shape == (512, 3)
        assert features[name].shape == (PointNet.SIZE,)
    assert np.linalg.norm(features["input-0"] - features["background-0"]) > 0.1
