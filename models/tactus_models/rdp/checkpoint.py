"""A Reactive Diffusion Policy on the disk: the folder that unpack.py writes, or a checkpoint that can be read without unpickling it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tactus_core.errors import DataError
from tactus_models.imported.files import finite, read_json, read_tensors
from tactus_models.rdp import unpack
from tactus_models.rdp.config import RdpConfig, read_policy

_NORMALISER = "policy.normalizer.params_dict."
_SIZES = {"tcp_pose": 9, "tcp_pose_relative": 9, "wrench": 6, "hand_position": 1}


@dataclass(frozen=True)
class Field:
    """How RDP normalises: x · scale + offset; float64, of one number or as many as the field has."""

    scale: NDArray[np.float64]
    offset: NDArray[np.float64]


@dataclass(frozen=True)
class Checkpoint:
    """What is needed to rebuild a policy. weights: float32, by their names in unpack.py. fields: by key of the configuration."""

    config: RdpConfig
    weights: Mapping[str, Tensor]
    fields: Mapping[str, Field]

    @staticmethod
    def load(path: Path, tokenizer: Path | None = None, rate_hz: float | None = None) -> "Checkpoint":
        """Read a folder of unpack.py, or a policy's .ckpt with its tokenizer's. rate_hz: instead of the configuration's.

        Raises DataError where files are damaged or would have to be unpickled, ConfigError for what is not supported.
        """
        if path.is_dir():
            values, tensors = read_json(path / "config.json"), read_tensors(path / "model.safetensors")
        else:
            values, tensors = _unpacked(path, tokenizer)
        config = read_policy(values, path, rate_hz)
        weights = {name: values.float() for name, values in tensors.items() if not name.startswith(_NORMALISER)}
        sizes = {key: 1 for key in config.images}
        sizes |= {key: _SIZES[signal] for of in (config.observed, config.touch) for key, signal in of.items()}
        sizes |= {"action": config.action_size, "latent_action": config.latent[1]}
        return Checkpoint(config, weights, {key: _field(tensors, key, size, path) for key, size in sizes.items()})


def _unpacked(path: Path, tokenizer: Path | None) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Return what unpack.py makes of two checkpoints, where torch reads them without running anything that they hold."""
    script = f"python {unpack.__file__} {path} {tokenizer or 'TOKENIZER.ckpt'} FOLDER"
    if tokenizer is None:
        raise DataError(
            f"{path}: a policy's checkpoint does not hold its tokenizer. Say --tokenizer FILE, or run in RDP's own environment: {script}"
        )
    payloads = []
    for file in (path, tokenizer):
        try:
            payloads.append(torch.load(file, map_location="cpu", weights_only=True))
        except OSError as error:
            raise DataError(f"{file}: {error.strerror}. Check the path.") from None
        except Exception as error:  # torch says with many types what is wrong with a file
            if type(error).__name__ != "UnpicklingError":
                raise DataError(f"{file}: not a checkpoint of torch, or cut short: {str(error).splitlines()[:1]}. Copy it again.") from None
            raise DataError(
                f"{file}: not read: it holds more than tensors and plain values, and reading that would run what is pickled in it. If you "
                f"trust it, run this in RDP's own environment, and import FOLDER: {script}"
            ) from None
    try:
        values, tensors = unpack.picked(*payloads)
    except (KeyError, TypeError, AttributeError):
        tensors = {"": None}
    if not all(isinstance(tensor, Tensor) for tensor in tensors.values()):
        raise DataError(f"{path}, {tokenizer}: not checkpoints of RDP's policy and of its tokenizer. Check which is which.")
    return values, finite(tensors, path)


def _field(tensors: Mapping[str, Tensor], key: str, size: int, path: Path) -> Field:
    """Return how a field is normalised; raises DataError where that is missing, of another size, or impossible."""
    found = [tensors.get(f"{_NORMALISER}{key}.{name}") for name in ("scale", "offset")]
    scale, offset = (np.empty(0) if values is None else values.double().numpy().ravel() for values in found)
    if not (scale.shape == offset.shape == (size,) and (scale > 0.0).all()):
        raise DataError(
            f"{path}: '{key}' is normalised by {len(scale)} scales and {len(offset)} offsets, expected {size} of each, scales above zero. "
            "Unpack the checkpoint again, of a finished training."
        )
    return Field(scale, offset)
