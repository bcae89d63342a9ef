"""Writes LeRobot checkpoints whose weights follow from their names, so that what LeRobot made of them can be kept in a few kilobytes.

`python tests/models/lerobot_tiny.py`, run by LeRobot's Python, records tests/models/lerobot/*.json: config.json as LeRobot writes
it, the names and shapes of its weights, and the chunk that it plans from `inputs`.
"""

import json
import sys
import tempfile
import zlib
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).parent / "lerobot"
WORKER = Path(__file__).parents[2] / "ros2_ws/src/tactus_cli/tactus_cli/against/lerobot_worker.py"
UNET = {
    "horizon": 8,
    "n_action_steps": 4,
    "down_dims": [16, 32],
    "n_groups": 4,
    "diffusion_step_embed_dim": 8,
    "spatial_softmax_num_keypoints": 4,
}
DDIM = {"noise_scheduler_type": "DDIM", "num_inference_steps": 5, "pretrained_backbone_weights": None, **UNET}
ACT = {"chunk_size": 6, "n_action_steps": 5, "dim_model": 16, "n_heads": 2, "dim_feedforward": 24, "n_encoder_layers": 2, "latent_dim": 4,
       "pretrained_backbone_weights": None, "n_vae_encoder_layers": 1}  # fmt: skip
# By name: policy, images (height, width) by key, what differs from LeRobot's defaults.
CASES = {
    "diffusion": ("diffusion", {"top": (64, 80)}, {**DDIM, "crop_shape": [60, 70], "use_group_norm": True}),
    "diffusion_two_cameras": (
        "diffusion",
        {"left": (48, 64), "right": (48, 64)},
        {**DDIM, "prediction_type": "sample", "resize_shape": [40, 50], "crop_ratio": 0.9, "n_obs_steps": 3, "n_action_steps": 6,
         "use_film_scale_modulation": False, "beta_schedule": "linear"},
    ),
    "diffusion_shared_encoder": (
        "diffusion",
        {"left": (64, 64), "right": (64, 64)},
        {**DDIM, "use_separate_rgb_encoder_per_camera": False, "n_obs_steps": 1, "clip_sample": False, "down_dims": [8, 16, 24],
         "vision_backbone": "resnet34"},
    ),
    "act": ("act", {"top": (64, 80), "wrist": (64, 64)}, {**ACT}),
    "act_pre_norm": ("act", {"top": (64, 80)}, {**ACT, "pre_norm": True, "use_vae": False, "n_decoder_layers": 2,
                                                        "feedforward_activation": "gelu"}),
}  # fmt: skip
STATE = ACTION = 6
SEED = 11  # of the noise that a chunk is made from


def recorded(case):
    """Return what was recorded of a case."""
    return json.loads((FOLDER / f"{case}.json").read_text())


def inputs(config):
    """Return what is observed, by name, as LeRobot's worker wants it."""
    rng, times = np.random.default_rng(5), config["n_obs_steps"]
    out = {"observation.state": rng.normal(0.2, 0.7, (times, STATE)).astype(np.float32)}
    for key, of in config["input_features"].items():
        if of["type"] == "VISUAL":
            height, width = of["shape"][1:]
            smooth = np.sin(np.arange(height)[:, None, None] * 0.1 + np.arange(width)[:, None] * 0.07 + np.arange(3)) * 100 + 128
            out[key] = np.clip(smooth + rng.normal(0.0, 20.0, (times, height, width, 3)), 0, 255).astype(np.uint8)
    if config["type"] == "diffusion":
        out["noise"] = np.random.default_rng(SEED).standard_normal((config["horizon"], ACTION), dtype=np.float32)
    return out


def weights(shapes):
    """Return weights (float32) by name: random as the name says, of a size that keeps numbers in bounds."""
    pool = np.random.default_rng(3).standard_normal(1 << 18).astype(np.float32)
    out = {}
    for name, shape in shapes.items():
        count = int(np.prod(shape))
        values = np.resize(np.roll(pool, zlib.crc32(name.encode()) % len(pool)), count).reshape(shape)
        if name.endswith("num_batches_tracked"):
            out[name] = np.zeros(shape, np.int64)
        elif name.endswith("running_var"):
            out[name] = 0.5 + np.abs(values)
        elif len(shape) < 2:
            out[name] = 0.1 * values + np.float32(name.endswith("weight"))
        else:
            out[name] = values * np.float32((count / shape[0]) ** -0.5)
    return out


def statistics(config):
    """Return numbers to normalise with, by key and statistic, in the shapes that LeRobot gives them."""
    rng, out = np.random.default_rng(7), {}
    for key, of in {**config["input_features"], **config["output_features"]}.items():
        shape = (3, 1, 1) if of["type"] == "VISUAL" else of["shape"]
        mean, std = rng.uniform(-0.5, 0.5, shape), rng.uniform(0.2, 0.6, shape)
        values = {"mean": mean, "std": std, "min": mean - 2.0 * std, "max": mean + 3.0 * std}
        out[key] = {name: array.astype(np.float32) for name, array in values.items()}
    return out


def write(folder, config, shapes, old=False):
    """Write the checkpoint; `old`: with the statistics inside the weights, as LeRobot did before 0.4."""
    from safetensors.numpy import save_file

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config))
    tensors, known = weights(shapes), statistics(config)
    if old:
        for side, features in (("normalize_inputs", "input_features"), ("unnormalize_outputs", "output_features")):
            for key in config[features]:
                tensors |= {f"{side}.buffer_{key.replace('.', '_')}.{name}": values for name, values in known[key].items()}
    else:
        write_processors(folder, config, known)
    save_file(tensors, folder / "model.safetensors")
    return folder


def write_processors(folder, config, known):
    """Write what normalises with the statistics `known`; in the place of files that are there."""
    from safetensors.numpy import save_file

    flat = {f"{key}.{name}": values for key, of in known.items() for name, values in of.items()}
    for name, kind in (("policy_preprocessor", "normalizer_processor"), ("policy_postprocessor", "unnormalizer_processor")):
        for suffix in ("json", "safetensors"):
            (folder / f"{name}.{suffix}").unlink(missing_ok=True)
        save_file(flat, folder / f"{name}.safetensors")
        features = {**config["input_features"], **config["output_features"]}
        settings = {"eps": 1e-8, "features": features, "norm_map": config["normalization_mapping"]}
        device = {"registry_name": "device_processor", "config": {"device": "cpu", "float_dtype": None}}
        steps = [{"registry_name": kind, "config": settings, "state_file": f"{name}.safetensors"}, device]
        (folder / f"{name}.json").write_text(json.dumps({"name": name, "steps": steps}))


def record(case):
    """Build the case's policy with LeRobot, and keep what it makes of a checkpoint of ours."""
    from lerobot.configs import FeatureType, PolicyFeature
    from lerobot.policies import get_policy_class, make_policy_config

    kind, images, differences = CASES[case]
    seen = {f"observation.images.{name}": PolicyFeature(FeatureType.VISUAL, (3, *size)) for name, size in images.items()}
    config = make_policy_config(
        kind,
        device="cpu",
        input_features={"observation.state": PolicyFeature(FeatureType.STATE, (STATE,)), **seen},
        output_features={"action": PolicyFeature(FeatureType.ACTION, (ACTION,))},
        **{name: tuple(value) if isinstance(value, list) else value for name, value in differences.items()},
    )
    policy = get_policy_class(kind)(config)
    with tempfile.TemporaryDirectory() as folder:
        policy.save_pretrained(folder)
        kept = json.loads((Path(folder) / "config.json").read_text())
        shapes = {name: list(values.shape) for name, values in policy.state_dict().items()}
        path = write(Path(folder) / "ours", kept, shapes)
        sys.path.insert(0, str(WORKER.parent))
        from lerobot_worker import Original

        rows = Original(str(path)).plan(inputs(kept))
    (FOLDER / f"{case}.json").write_text(json.dumps({"config": kept, "shapes": shapes, "rows": rows.tolist()}))
    print(case, rows.shape, float(np.abs(rows).max()))


if __name__ == "__main__":
    for name in sys.argv[1:] or CASES:
        record(name)
