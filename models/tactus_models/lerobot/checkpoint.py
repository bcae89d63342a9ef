"""A LeRobot checkpoint on the disk: weights, and the statistics that values are normalised with, in both places where they may be."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from tactus_core.errors import ConfigError, DataError
from tactus_core.policy.bundle import Normaliser
from tactus_models.imported.files import read_json, read_tensors
from tactus_models.lerobot.config import ACTION, STATE, Features, Policy, read_config

_EPS = 1e-8
# Where weights of before LeRobot 0.4 keep the statistics, with `.` in names as `_`.
_INSIDE = ("normalize_inputs.buffer_", "unnormalize_outputs.buffer_", "normalize_targets.buffer_")
_SAVED_BY = {"policy_preprocessor.json": "normalizer_processor", "policy_postprocessor.json": "unnormalizer_processor"}
# Steps that rename, batch or place, and the setting with which they would change values.
_HARMLESS = {"rename_observations_processor": "rename_map", "to_batch_processor": "", "device_processor": "float_dtype"}
_OF_MODE = {"MEAN_STD": ("mean", "std"), "MIN_MAX": ("min", "max"), "QUANTILES": ("q01", "q99"), "QUANTILE10": ("q10", "q90")}

Statistics = Mapping[str, Mapping[str, Tensor]]


@dataclass(frozen=True)
class Checkpoint:
    """What is needed to rebuild a policy. weights: float32, without statistics. normalisers: by key of config.json; images' are (3,)."""

    config: Policy
    features: Features
    weights: Mapping[str, Tensor]
    normalisers: Mapping[str, Normaliser]

    @staticmethod
    def load(folder: Path) -> "Checkpoint":
        """Read a checkpoint's folder; raises DataError where it is damaged, ConfigError where it needs what is not supported."""
        config, features = read_config(folder / "config.json")
        everything = read_tensors(folder / "model.safetensors")
        weights = {key: value for key, value in everything.items() if not key.startswith(_INSIDE)}
        if (folder / "policy_preprocessor.json").is_file():
            inputs, modes = _processor(folder, "policy_preprocessor.json")
            outputs, _ = _processor(folder, "policy_postprocessor.json")
        else:
            inputs, outputs, modes = _inside(everything, _INSIDE[0]), _inside(everything, _INSIDE[1]), features.modes
        if not inputs and not outputs:
            raise DataError(
                f"{folder}: no statistics to normalise with: neither policy_preprocessor.json nor weights `{_INSIDE[0]}…`. Copy all files "
                "of the checkpoint, those of the processors with them."
            )
        normalisers = {key: _normaliser(inputs, key, modes.get("VISUAL", "IDENTITY"), 3, folder) for key in features.images}
        if features.state:
            normalisers[STATE] = _normaliser(inputs, STATE, modes.get("STATE", "IDENTITY"), features.state, folder)
        normalisers[ACTION] = _normaliser(outputs, ACTION, modes.get("ACTION", "IDENTITY"), features.action, folder)
        # `_orig_mod` is what torch.compile puts into names.
        return Checkpoint(config, features, {k.replace("._orig_mod.", "."): v.float() for k, v in weights.items()}, normalisers)


def _processor(folder: Path, name: str) -> tuple[Statistics, Mapping[str, str]]:
    """Return statistics and modes of the one step that normalises; raises ConfigError for a step that would change values otherwise."""
    steps = read_json(folder / name).get("steps")
    if not (isinstance(steps, list) and all(isinstance(step, dict) and isinstance(step.get("config"), dict) for step in steps)):
        raise DataError(f"{folder / name}: no list of steps, each with a config. Copy the checkpoint again.")
    found: tuple[Statistics, Mapping[str, str]] | None = None
    for step in steps:
        kind, config = str(step.get("registry_name")), step["config"]
        if kind == _SAVED_BY[name] and config.get("normalize_observation_keys") is None:
            found = _state(folder, name, step.get("state_file")), config.get("norm_map", {})
        elif kind not in _HARMLESS or config.get(_HARMLESS[kind]):
            raise ConfigError(f"{folder / name}: step '{kind}' with {config} is not supported. Serve this policy remotely instead.")
    if found is None:
        raise DataError(f"{folder / name}: no step '{_SAVED_BY[name]}'. Copy the checkpoint again.")
    return found


def _state(folder: Path, name: str, file: Any) -> Statistics:
    if not (isinstance(file, str) and Path(file).name == file):
        raise DataError(f"{folder / name}: state_file is {file!r}, expected the name of a file beside it. Copy the checkpoint again.")
    statistics: dict[str, dict[str, Tensor]] = {}
    for flat, values in read_tensors(folder / file).items():
        key, _, statistic = flat.rpartition(".")
        statistics.setdefault(key, {})[statistic] = values
    return statistics


def _inside(weights: Mapping[str, Tensor], prefix: str) -> Statistics:
    statistics: dict[str, dict[str, Tensor]] = {}
    for name, values in weights.items():
        if name.startswith(prefix):
            key, _, statistic = name.removeprefix(prefix).rpartition(".")
            statistics.setdefault(key, {})[statistic] = values
    return statistics


def _normaliser(statistics: Statistics, key: str, mode: str, size: int, folder: Path) -> Normaliser:
    """Return how LeRobot normalises `key`, as (x − offset) / scale.

    Where what is observed never varied in training LeRobot divides by 1e-8, and the slightest change becomes enormous. Here it
    is divided by one: the same at the value of the training, harmless beside it.
    """
    if mode == "IDENTITY":
        return Normaliser(np.zeros(size, np.float32), np.ones(size, np.float32))
    if mode not in _OF_MODE:
        raise ConfigError(f"{folder}: '{key}' is normalised by '{mode}', which is not supported, only {', '.join(_OF_MODE)} and IDENTITY.")
    of_key = statistics.get(key, statistics.get(key.replace(".", "_"), {}))
    observed = key != ACTION
    first, second = (_values(of_key, name, key, size, folder) for name in _OF_MODE[mode])
    if mode == "MEAN_STD":
        never = second <= 0.0
        offset, scale = first, second + (_EPS if observed else 0.0)
    else:
        never = second <= first
        offset, scale = np.where(never, first + (1.0 if observed else 0.0), (first + second) / 2.0), (second - first) / 2.0
    scale = np.where(never, 1.0 if observed else _EPS, scale)
    return Normaliser(offset.astype(np.float32), scale.astype(np.float32))


def _values(of_key: Mapping[str, Tensor], name: str, key: str, size: int, folder: Path) -> NDArray[np.float64]:
    if name not in of_key or of_key[name].numel() != size:
        got = tuple(of_key[name].shape) if name in of_key else f"only {sorted(of_key)}"
        raise DataError(f"{folder}: statistic '{name}' of '{key}': expected {size} numbers, got {got}. Copy the checkpoint again.")
    return of_key[name].double().numpy().ravel()
