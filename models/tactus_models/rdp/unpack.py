"""Checkpoints of Reactive Diffusion Policy → plain files that Tactus reads. Runs without Tactus, by the Python of RDP's environment.

    python unpack.py LATENT_DIFFUSION_POLICY.ckpt ASYMMETRIC_TOKENIZER.ckpt FOLDER

The policy's checkpoint does not hold the tokenizer that it was trained with (`at_load_dir` of its configuration names it), so both are
asked for. They are pickles, and reading a pickle runs whatever whoever wrote it put there: do that with your own checkpoints alone.
FOLDER gets config.json, what of the configuration shapes the policy, and model.safetensors, its averaged weights, normalisers and decoder.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

# Of the configuration, by their places in it; one that is not there is null.
WANTED = (
    "task.name",
    "shape_meta",
    "policy",
    "training.use_ema",
    "n_latency_steps",
    "obs_temporal_downsample_ratio",
    "dataset_obs_temporal_downsample_ratio",
    "task.dataset.relative_action",
    "task.env_runner.control_fps",
    "task.env_runner.use_relative_tcp_obs_for_relative_action",
    "task.env_runner.tcp_action_update_interval",
)


def picked(policy: Mapping[str, Any], tokenizer: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return (config, tensors by name) of two checkpoints as they were saved: mappings with `cfg` and `state_dicts`."""
    config = {place: plain(found(policy["cfg"], place)) for place in WANTED}
    states = policy["state_dicts"]
    averaged = config["training.use_ema"] and "ema_model" in states
    tensors = {f"policy.{name}": values for name, values in states["ema_model" if averaged else "model"].items()}
    for part, state in tokenizer["state_dicts"]["model"].items():
        if part in ("decoder", "post_quant"):
            tensors.update({f"at.{part}.{name}": values for name, values in state.items()})
    # A parameter without numbers, by which RDP's modules know on which device they are.
    return config, {name: values for name, values in tensors.items() if not name.endswith("_dummy_variable")}


def found(values: Any, place: str) -> Any:
    """Return what stands at a place of a configuration, or None."""
    for key in place.split("."):
        values = None if values is None or key not in values else values[key]
    return values


def plain(values: Any) -> Any:
    """Return mappings and lists of any kind as JSON's own."""
    if hasattr(values, "items"):
        return {str(key): plain(values[key]) for key in values}
    if hasattr(values, "__iter__") and not isinstance(values, str):
        return [plain(value) for value in values]
    return values


def main(policy: str, tokenizer: str, folder: str) -> None:
    """Read both checkpoints, and write the folder."""
    import dill
    import torch
    from omegaconf import OmegaConf
    from safetensors.torch import save_file

    OmegaConf.register_new_resolver("eval", eval, replace=True)  # as RDP's train.py
    payloads = []
    for path in (policy, tokenizer):
        with open(path, "rb") as file:
            payloads.append(torch.load(file, pickle_module=dill, map_location="cpu"))
    config, tensors = picked(*payloads)
    Path(folder).mkdir(parents=True, exist_ok=True)
    Path(folder, "config.json").write_text(json.dumps(config, indent=1))
    save_file({name: values.contiguous().clone() for name, values in tensors.items()}, str(Path(folder, "model.safetensors")))
    print(f"wrote {folder}: {len(tensors)} tensors. Now: ./tactus import rdp {folder}")


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
