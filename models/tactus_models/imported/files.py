"""Files of checkpoints, and networks filled with what they hold. Nothing is unpickled."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from tactus_core.errors import DataError

_UPDATES = "num_batches_tracked"  # how often a BatchNorm was updated: of training alone


def read_json(path: Path) -> dict[str, Any]:
    """Return a JSON file that holds an object; raises DataError where it does not."""
    try:
        values = json.loads(path.read_text())
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}. A checkpoint is a folder with config.json and model.safetensors.") from None
    except ValueError as error:
        raise DataError(f"{path}: not valid JSON: {error}. Copy the checkpoint again.") from None
    if not isinstance(values, dict):
        raise DataError(f"{path}: expected a JSON object, got a {type(values).__name__}. Copy the checkpoint again.")
    return values


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a safetensors file; raises DataError where it is cut short, or holds what is not finite."""
    try:
        tensors = load_file(path)
    except (OSError, SafetensorError, ValueError, KeyError) as error:
        raise DataError(f"{path} cannot be read: {error}. It may be cut short; copy the checkpoint again.") from None
    return finite(tensors, path)


def finite(tensors: Mapping[str, Tensor], path: Path) -> dict[str, Tensor]:
    """Return the tensors of a file; raises DataError where one holds what is not finite."""
    for name, tensor in tensors.items():
        if not torch.isfinite(tensor).all():
            count = int((~torch.isfinite(tensor)).sum())
            raise DataError(
                f"{path}: {count} of {tensor.numel()} numbers of '{name}' are NaN or infinite. The training failed, or the file is damaged."
            )
    return dict(tensors)


def fill(parts: Mapping[str, nn.Module], weights: Mapping[str, Tensor], folder: Path) -> None:
    """Load every weight of every part, and see to it that none is left over or missing.

    parts: by the prefix of its weights' names. Raises DataError, which names `folder`, the checkpoint's.
    """
    wanted = {f"{prefix}.{name}": values for prefix, part in parts.items() for name, values in part.state_dict().items()}
    wanted = {name: values for name, values in wanted.items() if not name.endswith(_UPDATES)}
    given = {name: values for name, values in weights.items() if not name.endswith(_UPDATES)}
    problems = [f"lacks '{name}'" for name in sorted(wanted.keys() - given.keys())]
    problems += [f"has '{name}', which the configuration has no place for" for name in sorted(given.keys() - wanted.keys())]
    problems += [
        f"'{name}' has shape {tuple(given[name].shape)}, the configuration wants {tuple(wanted[name].shape)}"
        for name in sorted(wanted.keys() & given.keys())
        if given[name].shape != wanted[name].shape
    ]
    if problems:
        raise DataError(
            f"{folder / 'model.safetensors'} does not fit config.json: {problems[0]} ({len(problems)} such). Copy both from one checkpoint."
        )
    for prefix, part in parts.items():
        own = {name: given.get(f"{prefix}.{name}", torch.zeros(())) for name in part.state_dict()}  # zero: how often BatchNorm was updated
        part.load_state_dict(own, assign=True)
