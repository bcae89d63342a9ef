"""A bundle's weights, back in the networks that they came from: what was exported can be trained further, from the bundle alone."""

from dataclasses import fields
from pathlib import Path

import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from tactus_core.config import from_mapping
from tactus_core.errors import BundleError, ConfigError
from tactus_core.policy.bundle import Bundle, Normaliser, example_observation
from tactus_core.policy.card import Card
from tactus_models.config import DiffusionConfig
from tactus_models.diffusion import SlowPolicy
from tactus_models.export import check_parity
from tactus_models.layout import ACTION, LOW_DIM_SIZE, OBSERVATION
from tactus_models.networks import ImageEncoder
from tactus_models.objectives import OBJECTIVES
from tactus_models.residual.networks import Actor
from tactus_models.tokenizer import FastHead
from tactus_models.torch_ops import reset_first


def restored(folder: Path, bundle: Bundle) -> tuple[SlowPolicy, DiffusionConfig]:
    """Return the slow policy of a bundle, of actions or latents, that was trained here by diffusion with a U-Net, and its configuration.

    Raises ConfigError for another kind of bundle, BundleError where what comes back does not compute what its graphs do.
    """
    card = bundle.card
    config = _config(card)
    objective = OBJECTIVES[config.policy](config, config.features + LOW_DIM_SIZE)
    policy = SlowPolicy(ImageEncoder(config.encoder_widths, config.features), objective.network(card.sample_shape))
    parts = {"encoder": policy.encoder, "denoiser": policy.generator}
    examples = example_observation(card)
    for name, module in parts.items():
        inputs = tuple(torch.from_numpy(values) for values in examples[name].values())
        _load(folder / card.graphs[name].file, module.eval(), inputs)
    check_parity(bundle, parts)
    return policy, config


def restored_head(folder: Path, bundle: Bundle) -> FastHead:
    """Return the fast head of a bundle that was trained here; raises BundleError as `restored` does."""
    file = folder / bundle.card.graphs["fast_head"].file
    graph = onnx.load(str(file)).graph
    given = _weights(graph)
    nodes = {node.op_type: node for node in graph.node}
    try:
        called = [name for kind in ("Conv", "Add") for name in nodes[kind].input if name in given]
        named = {name.removeprefix("tokenizer."): given[name] for name in called}  # older cards' graphs have them in a tokenizer
        ahead, recur, bias = (given[name][0] for name in nodes["GRU"].input[1:4])
        size = recur.shape[1]
        parts = {"weight_ih": ahead, "weight_hh": recur, "bias_ih": bias[: 3 * size], "bias_hh": bias[3 * size :]}
        named |= {f"gru.{name}_l0": reset_first(values, size) for name, values in parts.items()}
        named["head.weight"] = given[nodes["MatMul"].input[1]].T
        head = FastHead(bundle.card.sample_shape, len(named["post_quant.bias"]), size)
        head.load_state_dict(named)
    except (KeyError, ValueError, IndexError, RuntimeError) as error:
        raise BundleError(f"{file}: not a fast head that was trained here: {error!r}. Choose another base.") from None
    check_parity(bundle, {"fast_head": head.eval()})
    return head


def restored_residual(folder: Path, bundle: Bundle, hidden: int) -> tuple[Actor, Normaliser]:
    """Return the actor of a bundle's residual, and what normalises its observation; raises BundleError as `restored` does."""
    actor, inputs = Actor(hidden), (torch.from_numpy(values) for values in example_observation(bundle.card)["residual"].values())
    _load(folder / bundle.card.graphs["residual"].file, actor.eval(), tuple(inputs))
    check_parity(bundle, {"residual": actor})
    return actor, bundle.normalisers["residual"]


def _config(card: Card) -> DiffusionConfig:
    told = {f.name: card.training[f.name] for f in fields(DiffusionConfig) if f.name in card.training}
    if not isinstance(told.get("policy"), str):  # older cards said by that word how a U-Net's training went
        told["policy"] = "unet"
    ours = card.observation == OBSERVATION and card.action == ACTION and card.residual is None
    if not ours or "denoiser" not in card.graphs or "unet_widths" not in told or told["policy"] != "unet":
        raise ConfigError(
            f"bundle '{card.id}' cannot be trained further from its files: expected diffusion by a U-Net, trained here, without a "
            "residual. Choose another bundle, or a method that learns a residual."
        )
    told["transformer"] = DiffusionConfig().transformer
    return from_mapping(DiffusionConfig, told, f"card of '{card.id}'")


def _load(file: Path, module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
    """Fill a module by its graph. Weights keep their names; those of group norms the exporter writes as Mul and Add in turn."""
    given = _weights(onnx.load(str(file)).graph)
    state = module.state_dict()
    named = {name: values for name, values in given.items() if name in state}
    unnamed = [values for name, values in given.items() if name.startswith(("onnx::Mul_", "onnx::Add_"))]
    norms = _norms(module, inputs)
    if len(unnamed) != 2 * len(norms):
        raise BundleError(f"{file}: {len(unnamed)} weights without a name, expected {2 * len(norms)}. Was it exported by another version?")
    for name, scale, shift in zip(norms, unnamed[::2], unnamed[1::2], strict=True):
        named |= {f"{name}.weight": scale.reshape(-1), f"{name}.bias": shift.reshape(-1)}
    try:
        module.load_state_dict(named)
    except RuntimeError as error:
        raise BundleError(f"{file}: its weights are not those of the networks that its card names: {error}. Export it again.") from None


def _weights(graph: onnx.GraphProto) -> dict[str, Tensor]:
    return {tensor.name: torch.from_numpy(numpy_helper.to_array(tensor).copy()) for tensor in graph.initializer}


def _norms(module: nn.Module, inputs: tuple[Tensor, ...]) -> list[str]:
    """Return the names of the group norms, in the order in which they compute."""
    order: list[str] = []
    hooks = [
        part.register_forward_pre_hook(lambda *_, name=name: order.append(name))
        for name, part in module.named_modules()
        if isinstance(part, nn.GroupNorm)
    ]
    with torch.no_grad():
        module(*inputs)
    for hook in hooks:
        hook.remove()
    return order
