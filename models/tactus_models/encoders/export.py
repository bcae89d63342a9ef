"""Local weights → the folder of an encoder, checked against the network that they came from."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from tactus_core.errors import BundleError, ConfigError, DataError, SetupError, TactusError
from tactus_core.perception.cloud import CloudConfig
from tactus_core.perception.encoder_card import CARD, GRAPH, EncoderCard, EncoderKind, write_encoder_card
from tactus_core.perception.encoders import ImageConfig, cloud_spec, image_spec
from tactus_core.perception.network import Network
from tactus_core.policy.card import file_sha256
from tactus_core.policy.specs import TensorSpec
from tactus_models.encoders.networks import IMAGENET, Colour, PointNet, Preprocessed, TouchNet
from tactus_models.export import TOLERANCE, export_graph
from tactus_models.imported.resnet import AveragedResNet, group_norm

TIMM = "timm:"
_SAMPLES = 3


def export_image(network: str, weights: Path, folder: Path, image: ImageConfig, resize: tuple[int, int] | None, **card: Any) -> EncoderCard:
    """Export an encoder of rgb images. network: resnet18, touchnet, or `timm:` and a name of that library, which has to be installed.

    resize: height and width that the network sees, where it is not the image's. card: name, version, licence, max_age_s.
    """
    state = read_weights(weights)
    backbone = _backbone(network, state)
    load_weights(backbone.module, state, weights, backbone.classifier)
    module = Preprocessed(backbone.module, backbone.resize or resize, backbone.colours)
    card |= {"kind": EncoderKind.IMAGE, "settings": asdict(image)}
    return _export(module, image_spec(image), folder, card | {"training": _provenance(network, weights)})


def export_cloud(weights: Path, folder: Path, cloud: CloudConfig, **card: Any) -> EncoderCard:
    """Export a PointNet with the widths of DP3. card: see `export_image`."""
    module = PointNet()
    load_weights(module, read_weights(weights), weights)
    card |= {"kind": EncoderKind.CLOUD, "settings": asdict(cloud)}
    return _export(module, cloud_spec(cloud), folder, card | {"training": _provenance("pointnet", weights)})


def read_weights(path: Path) -> dict[str, Tensor]:
    """Read a state dict of safetensors, or of torch's own format, from which nothing but tensors is taken; raises DataError."""
    if not path.is_file():
        raise DataError(f"{path}: no such file. Weights are local: download them first, or check the spelling of the path.")
    try:
        state = load_file(path) if path.suffix == ".safetensors" else torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # those of safetensors and torch share no base class
        raise DataError(
            f"{path}: no weights that can be read safely: {repr(error)[:120]}. Expected a state dict as .safetensors, or as torch "
            "saves it (.pth); from anything else, save it anew: safetensors.torch.save_file(model.state_dict(), FILE)."
        ) from None
    if not (isinstance(state, Mapping) and state and all(isinstance(value, Tensor) for value in state.values())):
        raise DataError(f"{path}: expected a state dict, tensors by name; got {type(state).__name__}. Save model.state_dict() alone.")
    return dict(state)


def load_weights(module: nn.Module, state: Mapping[str, Tensor], source: Path, classifier: str = "") -> None:
    """Put a state dict into a module; raises DataError where names, shapes or numbers do not fit. classifier: a layer that is left out."""
    given = {name: value for name, value in state.items() if not (classifier and name.startswith(f"{classifier}."))}
    wanted = module.state_dict()
    # Counts of batches are no weights, and old files lack them.
    missing = sorted(name for name in wanted.keys() - given.keys() if not name.endswith("num_batches_tracked"))
    unknown = sorted(given.keys() - wanted.keys())
    other = [name for name in sorted(given.keys() & wanted.keys()) if given[name].shape != wanted[name].shape]
    shapes = [f"{name} {tuple(given[name].shape)}, expected {tuple(wanted[name].shape)}" for name in other[:4]]
    if missing or unknown or other:
        raise DataError(
            f"{source}: the weights are of another network: missing {missing[:4]}, unknown {unknown[:4]}, of another shape {shapes}. "
            "Choose the network that they were trained as."
        )
    bad = sorted(name for name, value in given.items() if not torch.isfinite(value).all())
    if bad:
        raise DataError(f"{source}: {bad[:4]} hold numbers that are not finite. The training went wrong, or the file is damaged.")
    module.load_state_dict(given, strict=False)


@dataclass(frozen=True)
class _Backbone:
    """A network without weights. classifier: its last layer, which a state dict may have; resize: the only size that it takes, if any."""

    module: nn.Module
    classifier: str = ""
    resize: tuple[int, int] | None = None
    colours: tuple[Colour, Colour] = IMAGENET


def _backbone(network: str, state: Mapping[str, Tensor]) -> _Backbone:
    if network.startswith(TIMM):
        return _of_timm(network.removeprefix(TIMM))
    if network == "resnet18":
        return _Backbone(AveragedResNet("resnet18", nn.BatchNorm2d if "bn1.running_mean" in state else group_norm), "fc")
    if network == "touchnet":
        return _Backbone(TouchNet(), resize=(TouchNet.SIDE, TouchNet.SIDE))
    raise ConfigError(f"unknown network '{network}'; expected resnet18, touchnet, or {TIMM}NAME of a model of that library.")


def _of_timm(name: str) -> _Backbone:
    try:
        import timm
    except ImportError:
        raise SetupError(f"network '{TIMM}{name}' needs the library timm, which is not installed. Try: pip install timm") from None
    if not timm.is_model(name):
        raise ConfigError(f"timm {timm.__version__} has no model '{name}'; timm.list_models() has those that it knows.")
    module = timm.create_model(name, pretrained=False, num_classes=0)
    trained = module.pretrained_cfg
    # Many of its networks were not trained with ImageNet's own mean and deviation.
    return _Backbone(module, str(trained["classifier"]), None, (tuple(trained["mean"]), tuple(trained["std"])))


def _provenance(network: str, weights: Path) -> dict[str, str]:
    return {"network": network, "weights": weights.name, "sha256": file_sha256(weights)}


def _export(module: nn.Module, given: TensorSpec, folder: Path, fields: Mapping[str, Any]) -> EncoderCard:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / CARD).unlink(missing_ok=True)  # of an older encoder: without its card a folder is none
    samples = [_sample(given, seed) for seed in range(_SAMPLES)]
    with torch.no_grad():
        expected = [module.eval()(torch.from_numpy(sample[None])).numpy()[0] for sample in samples]
    if expected[0].ndim != 1:
        raise DataError(f"the network's output has shape {expected[0].shape} for one sample, expected (F,). Choose one that pools its map.")
    features = len(expected[0])
    export_graph(module, folder / GRAPH, (given,), (TensorSpec("features", (1, features), "float32"),))
    card = write_encoder_card(folder, features=features, **fields)
    try:
        _check_parity(Network(folder, card, given), samples, expected)
    except TactusError:
        (folder / CARD).unlink()
        raise
    return card


def _check_parity(network: Network, samples: Sequence[Any], expected: Sequence[Any]) -> None:
    difference = max(float(np.abs(network(sample) - wanted).max()) for sample, wanted in zip(samples, expected, strict=True))
    # Of features that are large, their share. `not (x <= y)`: NaN has to fail as well.
    if not difference <= TOLERANCE * max(1.0, float(np.abs(expected).max())):
        raise BundleError(
            f"the exported graph differs from its network by {difference:.2e}, allowed is {TOLERANCE}. It is not usable; the versions of "
            "torch and onnxruntime may not fit each other: use those in requirements/train.txt."
        )


def _sample(given: TensorSpec, seed: int) -> Any:
    rng = np.random.default_rng(seed)
    shape = given.shape[1:]
    return rng.integers(0, 256, shape).astype(np.uint8) if given.dtype == "uint8" else rng.normal(0.0, 0.5, shape).astype(np.float32)
