"""Local weights → encoders that run without torch, as right as the networks they came from; weights that do not fit are refused."""
# ruff: noqa: E402 (torch is asked for before anything that imports it)

import pickle

import numpy as np
import pytest

torch = pytest.importorskip(
    "torch", reason="tactus_models exports with torch, which is not installed here: pip install -r requirements/train.txt"
)

from click.testing import CliRunner
from safetensors.torch import save_file

from tactus_cli.commands.export import command
from tactus_core.errors import BundleError, ConfigError, DataError, SetupError
from tactus_core.perception.cloud import CloudConfig, Intrinsics
from tactus_core.perception.encoder_card import load_encoder_card
from tactus_core.perception.encoders import CloudEncoder, ImageConfig, ImageEncoder
from tactus_models.encoders.export import export_cloud, export_image, load_weights
from tactus_models.encoders.networks import PointNet, Preprocessed, TouchNet
from tactus_models.imported.resnet import AveragedResNet, group_norm

SIZE = ImageConfig(64, 96)
FIELDS = {"name": "e", "version": "1", "licence": "none"}


def weights_of(module, seed=0):
    """Return weights that are the same on every machine: numpy's, by the shapes in the order of the state dict."""
    rng = np.random.default_rng(seed)
    state = {}
    for name, value in module.state_dict().items():
        numbers = 0.03 * rng.standard_normal(value.shape, dtype=np.float32)
        if "running_var" in name or (value.ndim == 1 and name.endswith("weight")):
            numbers = 1.0 + np.abs(numbers)
        state[name] = torch.from_numpy(np.asarray(numbers)) if value.is_floating_point() else value
    return state


def picture(seed=1):
    return np.random.default_rng(seed).integers(0, 256, (SIZE.height, SIZE.width, 3)).astype(np.uint8)


# Of torchvision 0.28.0 with these weights and this picture, ImageNet's normalisation by its own transform: features 0, 100, … 500.
GOLDEN_GROUP_NORM = [0.7177195, 1.0069453, 0.4219017, 0.4545076, 0.7118113, 2.7285450]
GOLDEN_BATCH_NORM = [0.3147213, 0.4744548, 0.0617215, 0.5748990, 0.1079920, 0.0]


def test_a_resnet_with_torchvisions_own_norm_sees_what_that_sees():
    network = Preprocessed(AveragedResNet("resnet18")).eval()
    load_weights(network.backbone, weights_of(network.backbone), "memory")
    with torch.no_grad():
        features = network(torch.from_numpy(picture()[None]))[0].numpy()
    np.testing.assert_allclose(features[::100], GOLDEN_BATCH_NORM, atol=1e-5)


def test_an_exported_resnet_with_group_norm_sees_what_torchvisions_sees(tmp_path):
    save_file(weights_of(AveragedResNet("resnet18", group_norm)), tmp_path / "w.safetensors")
    card = export_image("resnet18", tmp_path / "w.safetensors", tmp_path / "e", SIZE, None, max_age_s={"image": 0.2}, **FIELDS)
    assert load_encoder_card(tmp_path / "e") == card
    features = ImageEncoder(tmp_path / "e", card).encode(picture())
    assert features.shape == (512,)
    np.testing.assert_allclose(features[::100], GOLDEN_GROUP_NORM, atol=1e-4)


def test_a_cloud_is_encoded_whatever_the_order_of_its_points(tmp_path):
    save_file(weights_of(PointNet()), tmp_path / "w.safetensors")
    config = CloudConfig(points=128, low_m=(-1.0, -1.0, 0.5), high_m=(1.0, 1.0, 1.5))
    card = export_cloud(tmp_path / "w.safetensors", tmp_path / "e", config, max_age_s={"depth": 0.2}, **FIELDS)
    encoder = CloudEncoder(tmp_path / "e", card, np.eye(4))
    depth_m = np.random.default_rng(0).uniform(0.8, 1.2, (24, 32)).astype(np.float32)
    points, features = encoder.encode(depth_m, Intrinsics(24, 32, 30.0, 30.0, 16.0, 12.0))
    assert points.shape == (128, 3)
    assert features.shape == (PointNet.SIZE,)
    np.testing.assert_allclose(encoder._network(points[::-1].copy()), features, atol=1e-5)
    assert np.abs(encoder._network(points + np.float32(0.1)) - features).max() > 1e-3


def export(*words):
    result = CliRunner().invoke(command, [str(word) for word in words], catch_exceptions=False)
    assert result.exit_code == 0, result.output


def test_the_command_exports_a_gels_image_of_any_size(tmp_path):
    save_file(weights_of(TouchNet()), tmp_path / "w.safetensors")
    export("backbone", tmp_path / "w.safetensors", tmp_path / "gel", "--network", "touchnet", "--touch", "--height", 64, "--width", 96)
    card = load_encoder_card(tmp_path / "gel")
    assert (card.name, card.max_age_s, card.features) == ("gel", {"touch_image": 0.3}, TouchNet.SIZE)
    assert ImageEncoder(tmp_path / "gel", card).encode(picture()).shape == (TouchNet.SIZE,)


def test_the_command_exports_a_cloud_with_its_box_and_a_failure_leaves_no_encoder(tmp_path):
    save_file(weights_of(PointNet()), tmp_path / "w.safetensors")
    words = ("cloud", tmp_path / "w.safetensors", tmp_path / "cloud", "--low", 0.1, 0.2, 0.3, "--high", 0.4, 0.5, 0.6)
    export(*words)
    card = load_encoder_card(tmp_path / "cloud")
    assert card.part(CloudConfig, "card") == CloudConfig(low_m=(0.1, 0.2, 0.3), high_m=(0.4, 0.5, 0.6))
    save_file({name: 1e30 * value for name, value in weights_of(PointNet()).items()}, tmp_path / "w.safetensors")
    with pytest.raises((DataError, BundleError)):
        export(*words)
    with pytest.raises(BundleError, match="no such file"):
        load_encoder_card(tmp_path / "cloud")


def truncated(path):
    path.write_bytes(path.read_bytes()[:-100])


def not_finite(path):
    save_file(weights_of(PointNet()) | {"mlp.0.bias": torch.full((64,), torch.nan)}, path)


def smaller(path):
    save_file(weights_of(PointNet()) | {"mlp.0.bias": torch.zeros(32)}, path)


def another(path):
    save_file(weights_of(TouchNet()), path)


def missing(path):
    path.unlink()


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (missing, "no such file"),
        (truncated, "read safely"),
        (not_finite, "not finite"),
        (smaller, r"expected \(64,\)"),
        (another, "of another network"),
    ],
)
def test_weights_that_do_not_fit_are_refused(damage, says, tmp_path):
    save_file(weights_of(PointNet()), tmp_path / "w.safetensors")
    damage(tmp_path / "w.safetensors")
    with pytest.raises(DataError, match=says):
        export_cloud(tmp_path / "w.safetensors", tmp_path / "e", CloudConfig(), max_age_s={"depth": 0.2}, **FIELDS)


class Unwanted:
    def __reduce__(self):
        return exec, ("raise SystemExit('it was run')",)


def test_torchs_own_files_are_read_and_code_in_them_is_not_run(tmp_path):
    torch.save(weights_of(PointNet()), tmp_path / "w.pth")
    export_cloud(tmp_path / "w.pth", tmp_path / "e", CloudConfig(), max_age_s={"depth": 0.2}, **FIELDS)
    (tmp_path / "w.pth").write_bytes(pickle.dumps(Unwanted(), protocol=2))
    with pytest.raises(DataError, match=r"safetensors\.torch\.save_file"):
        export_cloud(tmp_path / "w.pth", tmp_path / "e", CloudConfig(), max_age_s={"depth": 0.2}, **FIELDS)
    torch.save([1, 2], tmp_path / "w.pth")
    with pytest.raises(DataError, match="got list"):
        export_cloud(tmp_path / "w.pth", tmp_path / "e", CloudConfig(), max_age_s={"depth": 0.2}, **FIELDS)


def test_networks_that_are_not_there_are_named(tmp_path):
    save_file(weights_of(PointNet()), tmp_path / "w.safetensors")
    with pytest.raises(ConfigError, match="resnet18, touchnet"):
        export_image("resnet19", tmp_path / "w.safetensors", tmp_path / "e", SIZE, None, max_age_s={"image": 0.2}, **FIELDS)
    try:
        import timm  # noqa: F401
    except ImportError:
        with pytest.raises(SetupError, match="pip install timm"):
            export_image("timm:vit_tiny", tmp_path / "w.safetensors", tmp_path / "e", SIZE, None, max_age_s={"image": 0.2}, **FIELDS)
