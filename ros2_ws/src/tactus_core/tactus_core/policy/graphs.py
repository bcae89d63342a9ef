"""The graphs of a bundle: what goes in and out of each, by what the card observes, commands and generates with.

    encoder   (where there are cameras)  one camera at one time: image uint8 (1,H,W,3); else image_<camera> uint8 (1,n,H,W,3) each, n times,
              oldest as listed → features float32 (1,F)
    denoiser  (diffusion, flow)  sample (1,T,C), timestep (1,), condition (1,D) → noise | clean | velocity (1,T,C)
              timestep: int64 noise level; flow: float32 share of noise, 1 to 0. velocity: what noise has more than the clean sample
    planner   (direct)  condition (1,D) → sample (1,T,C)
    fast_head (kind `latent`)  latent (1,T,C) un-normalised, window (1,n,W) normalised → action (1,A) normalised, for the last row
    residual  (where the card has `residual`)  observation (1,L+6) normalised → correction (1,6), shares of the limits, −1..1

What a server generates (remote) has none: images go to it as they are. D = F + L + E: features, then, each normalised, the
low-dimensional observation and what encoders that stand alone make (`policy/encoded.py`). A normalised value is `(x − offset) / scale`.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from tactus_core.policy.specs import DirectSpec, FlowSpec, ObservationSpec, RemoteSpec, TensorSpec

if TYPE_CHECKING:
    from tactus_core.policy.card import Card

TWIST_SIZE = 6

Graphs = Mapping[str, tuple[tuple[TensorSpec, ...], tuple[TensorSpec, ...]]]


def standard_graphs(card: "Card", feature_size: int) -> Graphs:
    """Return (inputs, outputs) of every graph that a bundle with this card has, by name: the contract that an exporter follows.

    The card's own `graphs` are not looked at; an exporter knows them last.
    """
    if isinstance(card.generator, RemoteSpec):
        return {}
    sample = (1, *card.sample_shape)
    parts = "features, then normalised low_dim" + (" and encoded" if card.observation.encoded_size else "")
    condition = TensorSpec("condition", (1, feature_size + card.observed_size), "float32", parts)
    made = TensorSpec("sample", sample, "float32", "normalised")
    graphs: dict[str, tuple[tuple[TensorSpec, ...], tuple[TensorSpec, ...]]] = {}
    if card.observation.cameras:
        graphs["encoder"] = (_images(card.observation), (TensorSpec("features", (1, feature_size), "float32", "no unit"),))
    if isinstance(card.generator, DirectSpec):
        graphs["planner"] = ((condition,), (made,))
    elif isinstance(card.generator, FlowSpec):
        level = TensorSpec("timestep", (1,), "float32", "share of noise, 1 to 0")
        graphs["denoiser"] = ((made, level, condition), (TensorSpec("velocity", sample, "float32", "normalised, clean to noise"),))
    else:
        level = TensorSpec("timestep", (1,), "int64", "noise level, 0 is the cleanest")
        predicted = "noise" if card.generator.prediction == "epsilon" else "clean"
        graphs["denoiser"] = ((made, level, condition), (TensorSpec(predicted, sample, "float32", "normalised"),))
    if card.latent:
        graphs["fast_head"] = (
            (
                TensorSpec("latent", sample, "float32", "as the tokenizer gives it"),
                TensorSpec("window", (1, -1, card.latent.window_size), "float32", "normalised; oldest row first, window_dt_s apart"),
            ),
            (TensorSpec("action", (1, card.action_size), "float32", "normalised; anchor frame; for the last row"),),
        )
    if card.residual:
        graphs["residual"] = (
            (TensorSpec("observation", (1, card.low_dim_size + TWIST_SIZE), "float32", "normalised; low_dim, then what is proposed"),),
            (TensorSpec("correction", (1, TWIST_SIZE), "float32", "shares of the limits, -1..1; tool: translation, rotation vector"),),
        )
    return graphs


def _images(observation: ObservationSpec) -> tuple[TensorSpec, ...]:
    return tuple(
        TensorSpec(image_input(observation, name), (1, *times, *camera.shape), "uint8", "rgb, 0..255")
        for name, camera in observation.cameras.items()
        for times in [() if is_single(observation) else (len(camera.at_s),)]
    )


def is_single(observation: ObservationSpec) -> bool:
    """Return whether one image is all that is seen: one camera at one time."""
    return [len(camera.at_s) for camera in observation.cameras.values()] == [1]


def image_input(observation: ObservationSpec, camera: str) -> str:
    """Return the name of the encoder's input for a camera."""
    return "image" if is_single(observation) else f"image_{camera}"
