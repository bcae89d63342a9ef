"""A small Reactive Diffusion Policy as its authors save it, and what it does, written down straight from the paper and its repository.

RDP itself (torch 1.13, its own environment) is not run here. This is a second implementation, of functions over the weights by RDP's
names, that shares nothing with the one that is tested; denoising is diffusers' own.
"""

import copy

import numpy as np
import torch
from lerobot_tiny import weights
from torch.nn import functional

SHAPE = (40, 60)  # of images
WIDTHS, GROUPS, EMBEDDING = (16, 32), 4, 8
HORIZON, ROWS, CHANNELS, TOKEN, HIDDEN = 16, 4, 6, 3, 10
CAMERA = "left_wrist_img"
LOW_DIM = {"left_robot_gripper_width": 1, "left_robot_tcp_pose": 9, "left_robot_tcp_wrench": 6}  # in the order of the alphabet
WRENCH = "left_robot_tcp_wrench"
PER_TIME = 512 + sum(LOW_DIM.values())
SHAPE_META = {
    "obs": {CAMERA: {"shape": [3, *SHAPE], "type": "rgb"}, **{key: {"shape": [n], "type": "low_dim"} for key, n in LOW_DIM.items()}},
    "extended_obs": {WRENCH: {"shape": [6], "type": "low_dim"}},
    "action": {"shape": [10]},
}
SCHEDULER = {
    "_target_": "diffusers.schedulers.scheduling_ddim.DDIMScheduler",
    "num_train_timesteps": 100,
    "beta_start": 0.0001,
    "beta_end": 0.02,
    "beta_schedule": "squaredcos_cap_v2",
    "clip_sample": True,
    "set_alpha_to_one": True,
    "steps_offset": 0,
    "prediction_type": "epsilon",
}
CONFIG = {
    "shape_meta": SHAPE_META,
    "n_latency_steps": 0,
    "obs_temporal_downsample_ratio": 2,
    "dataset_obs_temporal_downsample_ratio": 2,
    "training": {"use_ema": True},
    "task": {
        "name": "real_wipe_image_wrench_ldp_24fps",
        "dataset": {"relative_action": True},
        "env_runner": {"control_fps": 24, "tcp_action_update_interval": 8},
    },
    "policy": {
        "horizon": HORIZON,
        "n_obs_steps": 2,
        "num_inference_steps": 100,
        "obs_as_global_cond": True,
        "diffusion_step_embed_dim": EMBEDDING,
        "down_dims": list(WIDTHS),
        "kernel_size": 5,
        "n_groups": GROUPS,
        "cond_predict_scale": True,
        "noise_scheduler": SCHEDULER,
        "obs_encoder": {
            "rgb_model": {"name": "resnet18", "weights": None},
            "resize_shape": list(SHAPE),
            "random_transforms": [{"type": "RandomCrop", "ratio": 0.9}],
            "use_group_norm": True,
            "share_rgb_model": False,
            "imagenet_norm": True,
        },
        "at": {
            "use_conv_encoder": True,
            "conv_layer_num": 1,
            "use_rnn_decoder": True,
            "rnn_latent_dims": HIDDEN,
            "rnn_layer_num": 1,
            "use_vq": False,
            "n_latent_dims": TOKEN,
            "n_embed": CHANNELS,
            "act_scale": 2.0,
        },
    },
}


def changed(place, value):
    """Return the configuration with another value at a place."""
    config = copy.deepcopy(CONFIG)
    *above, last = place.split(".")
    at = config
    for key in above:
        at = at[key]
    at[last] = value
    return config


def payloads():
    """Return the checkpoints of policy and tokenizer as RDP's workspaces save them, but for `cfg` and `pickles`, which are plain here."""
    policy = {"_dummy_variable": (0,), **_resnet_shapes(f"obs_encoder.key_model_map.{CAMERA}"), **_unet_shapes("model")}
    fields = {"action": 10, CAMERA: 1, "latent_action": CHANNELS, **LOW_DIM}
    rng, state = np.random.default_rng(4), weights({f"policy.{name}": shape for name, shape in policy.items()})
    state = {name.removeprefix("policy."): values for name, values in state.items()}
    for key, size in fields.items():
        state[f"normalizer.params_dict.{key}.scale"] = rng.uniform(0.5, 2.0, size).astype(np.float32)
        state[f"normalizer.params_dict.{key}.offset"] = rng.uniform(-0.5, 0.5, size).astype(np.float32)
        state[f"normalizer.params_dict.{key}.input_stats.min"] = np.zeros(size, np.float32)
    # Rotations are not normalised; noise must not turn a pose upside down, which float32 would not survive to 1e-4.
    for name, value in (("scale", 1.0), ("offset", 0.0)):
        state[f"normalizer.params_dict.action.{name}"][3:9] = value
    state[f"normalizer.params_dict.{CAMERA}.scale"][:], state[f"normalizer.params_dict.{CAMERA}.offset"][:] = 2.0, -1.0
    felt = ROWS * TOKEN + 6
    parts = {
        "encoder": {"encoder.0.weight": (8, 10, 5)},
        "decoder": {
            "rnn.weight_ih_l0": (3 * HIDDEN, felt),
            "rnn.weight_hh_l0": (3 * HIDDEN, HIDDEN),
            "rnn.bias_ih_l0": (3 * HIDDEN,),
            "rnn.bias_hh_l0": (3 * HIDDEN,),
            "fc.weight": (10, HIDDEN),
            "fc.bias": (10,),
        },
        "quant": {"weight": (2 * CHANNELS, TOKEN, 1)},
        "post_quant": {"weight": (TOKEN, CHANNELS, 1), "bias": (TOKEN,)},
    }
    tokenizer = {part: {name: _tensor(v) for name, v in weights(shapes).items()} for part, shapes in parts.items()}
    tokenizer["decoder"]["fc.bias"][3:9] += torch.tensor([1.0, 0.0, 0.0, 0.0, 1.0, 0.0])
    averaged = {name: _tensor(values) for name, values in state.items()}
    raw = {name: values + 1.0 for name, values in averaged.items()}
    return (
        {"cfg": copy.deepcopy(CONFIG), "state_dicts": {"model": raw, "ema_model": averaged}, "pickles": {}},
        {"cfg": {}, "state_dicts": {"model": tokenizer}, "pickles": {}},
    )


def _tensor(values):
    return torch.from_numpy(np.ascontiguousarray(values))


def _resnet_shapes(prefix):
    def norm(name, n):
        return {f"{prefix}.{name}.weight": (n,), f"{prefix}.{name}.bias": (n,)}

    out = {f"{prefix}.conv1.weight": (64, 3, 7, 7), **norm("bn1", 64)}
    for layer, (inputs, outputs) in enumerate(((64, 64), (64, 128), (128, 256), (256, 512)), 1):
        for block in range(2):
            at = f"layer{layer}.{block}"
            of = inputs if block == 0 else outputs
            out |= {f"{prefix}.{at}.conv1.weight": (outputs, of, 3, 3), **norm(f"{at}.bn1", outputs)}
            out |= {f"{prefix}.{at}.conv2.weight": (outputs, outputs, 3, 3), **norm(f"{at}.bn2", outputs)}
            if of != outputs:
                out |= {f"{prefix}.{at}.downsample.0.weight": (outputs, of, 1, 1), **norm(f"{at}.downsample.1", outputs)}
    return out


def _unet_shapes(prefix):
    out, condition = {}, EMBEDDING + 2 * PER_TIME

    def linear(name, outputs, *rest):
        out[f"{prefix}.{name}.weight"], out[f"{prefix}.{name}.bias"] = (outputs, *rest), (outputs,)

    def block(name, inputs, outputs):
        for index, of in enumerate((inputs, outputs)):
            linear(f"{name}.blocks.{index}.block.0", outputs, of, 3)
            linear(f"{name}.blocks.{index}.block.1", outputs)
        linear(f"{name}.cond_encoder.1", 2 * outputs, condition)
        if inputs != outputs:
            linear(f"{name}.residual_conv", outputs, inputs, 1)

    first, second = WIDTHS
    linear("diffusion_step_encoder.1", 4 * EMBEDDING, EMBEDDING)
    linear("diffusion_step_encoder.3", EMBEDDING, 4 * EMBEDDING)
    for name, inputs, outputs in (
        ("down_modules.0.0", CHANNELS, first), ("down_modules.0.1", first, first), ("down_modules.1.0", first, second),
        ("down_modules.1.1", second, second), ("mid_modules.0", second, second), ("mid_modules.1", second, second),
        ("up_modules.0.0", 2 * second, first), ("up_modules.0.1", first, first),
    ):  # fmt: skip
        block(name, inputs, outputs)
    linear("down_modules.0.2.conv", first, first, 3)
    out[f"{prefix}.up_modules.0.2.conv.weight"], out[f"{prefix}.up_modules.0.2.conv.bias"] = (first, first, 4), (first,)
    linear("final_conv.0.block.0", first, first, 3)
    linear("final_conv.0.block.1", first)
    linear("final_conv.1", CHANNELS, first, 1)
    return out


class Reference:
    """What RDP makes of its checkpoints."""

    def __init__(self, policy, tokenizer):
        self.w, self.at = policy["state_dicts"]["ema_model"], tokenizer["state_dicts"]["model"]

    def field(self, key, values, back=False):
        scale, offset = (self.w[f"normalizer.params_dict.{key}.{name}"] for name in ("scale", "offset"))
        return (values - offset) / scale if back else values * scale + offset

    @torch.no_grad()
    def latent(self, images_bgr, low_dim, noise, steps=8):
        """Return the latent (T, C) of images (2, H, W, 3) uint8, what is observed by key (2, n), and noise (1, T, C)."""
        from diffusers import DDIMScheduler

        x = self.field(CAMERA, torch.from_numpy(images_bgr.copy()).permute(0, 3, 1, 2).float() / 255.0)
        height, width = int(SHAPE[0] * 0.9), int(SHAPE[1] * 0.9)
        top, left = round((SHAPE[0] - height) / 2.0), round((SHAPE[1] - width) / 2.0)
        x = x[:, :, top : top + height, left : left + width]
        mean, std = (torch.tensor(v)[:, None, None] for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
        seen = self._resnet((x - mean) / std, f"obs_encoder.key_model_map.{CAMERA}")
        felt = [self.field(key, torch.from_numpy(low_dim[key]).float()) for key in LOW_DIM]
        condition = torch.cat([seen, *felt], dim=1).reshape(1, -1)
        scheduler = DDIMScheduler(**{key: value for key, value in SCHEDULER.items() if key != "_target_"})
        scheduler.set_timesteps(steps)
        sample = torch.from_numpy(noise)
        for step in scheduler.timesteps:
            sample = scheduler.step(self._unet(sample, step, condition), step, sample).prev_sample
        return self.field("latent_action", sample[0], back=True).numpy()

    @torch.no_grad()
    def action(self, latent, wrenches):
        """Return the action (10,) at the last of the wrenches (n, 6) felt since three steps before the observation."""
        weight, bias = self.at["post_quant"]["weight"], self.at["post_quant"]["bias"]
        token = functional.conv1d(torch.from_numpy(latent).T[None], weight, bias)[0].T.reshape(-1)
        w, hidden = self.at["decoder"], torch.zeros(HIDDEN)
        for felt in self.field(WRENCH, torch.from_numpy(wrenches).float()):
            inputs = w["rnn.weight_ih_l0"] @ torch.cat([token, felt]) + w["rnn.bias_ih_l0"]
            memory = w["rnn.weight_hh_l0"] @ hidden + w["rnn.bias_hh_l0"]
            (r_in, z_in, n_in), (r_mem, z_mem, n_mem) = inputs.split(HIDDEN), memory.split(HIDDEN)
            reset, keep = torch.sigmoid(r_in + r_mem), torch.sigmoid(z_in + z_mem)
            hidden = (1.0 - keep) * torch.tanh(n_in + reset * n_mem) + keep * hidden
        out = (w["fc.weight"] @ hidden + w["fc.bias"]) * CONFIG["policy"]["at"]["act_scale"]
        return self.field("action", out, back=True).numpy().astype(np.float64)

    def _resnet(self, x, prefix):
        def conv(name, x, **how):
            return functional.conv2d(x, self.w[f"{prefix}.{name}.weight"], **how)

        def norm(name, x):
            return functional.group_norm(x, x.shape[1] // 16, self.w[f"{prefix}.{name}.weight"], self.w[f"{prefix}.{name}.bias"])

        x = functional.max_pool2d(functional.relu(norm("bn1", conv("conv1", x, stride=2, padding=3))), 3, 2, 1)
        for layer in range(1, 5):
            for block in range(2):
                at, stride = f"layer{layer}.{block}", 2 if layer > 1 and block == 0 else 1
                y = functional.relu(norm(f"{at}.bn1", conv(f"{at}.conv1", x, stride=stride, padding=1)))
                y = norm(f"{at}.bn2", conv(f"{at}.conv2", y, padding=1))
                x = functional.relu(y + (norm(f"{at}.downsample.1", conv(f"{at}.downsample.0", x, stride=stride)) if stride == 2 else x))
        return x.mean(dim=(2, 3))

    def _unet(self, sample, step, condition):
        def linear(name, x):
            return functional.linear(x, self.w[f"model.{name}.weight"], self.w[f"model.{name}.bias"])

        def conv(name, x, how=functional.conv1d, **rest):
            return how(x, self.w[f"model.{name}.weight"], self.w[f"model.{name}.bias"], **rest)

        def half(name, x, groups):
            norm = functional.group_norm(
                conv(f"{name}.block.0", x, padding=1), groups, self.w[f"model.{name}.block.1.weight"], self.w[f"model.{name}.block.1.bias"]
            )
            return functional.mish(norm)

        def block(name, x):
            y = half(f"{name}.blocks.0", x, GROUPS)
            film = linear(f"{name}.cond_encoder.1", functional.mish(told)).reshape(1, 2, -1, 1)
            y = half(f"{name}.blocks.1", film[:, 0] * y + film[:, 1], GROUPS)
            return y + (conv(f"{name}.residual_conv", x) if f"model.{name}.residual_conv.weight" in self.w else x)

        rates = torch.exp(torch.arange(EMBEDDING // 2) * -(np.log(10000.0) / (EMBEDDING // 2 - 1)))
        phase = step.float() * rates
        level = torch.cat([phase.sin(), phase.cos()]).float()[None]
        level = linear("diffusion_step_encoder.3", functional.mish(linear("diffusion_step_encoder.1", level)))
        told = torch.cat([level, condition], dim=1)
        wide = block("down_modules.0.1", block("down_modules.0.0", sample.transpose(1, 2)))
        deep = block("down_modules.1.1", block("down_modules.1.0", conv("down_modules.0.2.conv", wide, stride=2, padding=1)))
        x = block("mid_modules.1", block("mid_modules.0", deep))
        x = block("up_modules.0.1", block("up_modules.0.0", torch.cat([x, deep], dim=1)))
        x = conv("up_modules.0.2.conv", x, functional.conv_transpose1d, stride=2, padding=1)
        return conv("final_conv.1", half("final_conv.0", x, 8)).transpose(1, 2)
