"""A plan by a transformer denoiser that leaves out in each step what hardly changes: the file that says what, and how it is run.

A file is for one denoiser (by its hash), one sampler and one number of steps, and is refused for any other.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tactus_core.engines import sealed
from tactus_core.engines.blocks import Block, BlockEngine, BlockGraphs, Kept
from tactus_core.engines.making import TOLERANCES, proven_error
from tactus_core.engines.stored import Proof
from tactus_core.errors import BundleError, ConfigError
from tactus_core.policy.bundle import Bundle, example_observation
from tactus_core.policy.refreshing import Reuse, Schedule, mean_reuse
from tactus_core.policy.sampling import Sampler
from tactus_core.policy.schedule import Denoiser, Sample
from tactus_core.policy.specs import DiffusionSpec

_MAGIC = "tactus denoiser cache"
_AGAIN = "./tactus cache"


@dataclass(frozen=True)
class CacheKey:
    """What a schedule is for: the denoiser's file, the sampler, and how many steps it takes."""

    denoiser_sha256: str
    sampler: str
    steps: int

    @staticmethod
    def of(bundle: Bundle, spec: DiffusionSpec) -> "CacheKey":
        """Return the key of a bundle that is sampled by `spec`."""
        return CacheKey(bundle.card.graphs["denoiser"].sha256, spec.sampler, spec.inference_steps)

    def __str__(self) -> str:
        return f"denoiser {self.denoiser_sha256[:12]}, --sampler {self.sampler} --steps {self.steps}"


@dataclass(frozen=True)
class DenoiserCache:
    """A schedule with the graphs that it is for."""

    key: CacheKey
    schedule: Schedule
    graphs: BlockGraphs

    def save(self, path: Path) -> None:
        """Write the file, whole or not at all."""
        about = {"key": vars(self.key), "schedule": {str(block): steps for block, steps in self.schedule.items()}}
        blocks = {str(block): sealed.of_bytes(onnx) for block, onnx in self.graphs.blocks.items()}
        ends = {"head": sealed.of_bytes(self.graphs.head), "tail": sealed.of_bytes(self.graphs.tail)}
        sealed.write(path, _MAGIC, {"about": sealed.of_bytes(json.dumps(about).encode()), **ends, **blocks})

    @staticmethod
    def load(path: Path) -> "DenoiserCache":
        """Read a file; raises ConfigError where there is none, BundleError where it is damaged or its schedule leaves gaps."""
        try:
            arrays = {name: values.tobytes() for name, values in sealed.read(path, _MAGIC, _AGAIN).items()}
        except OSError as error:
            raise ConfigError(f"{path}: cannot be read: {error.strerror}. Make it: {_AGAIN} BUNDLE.") from None
        about = json.loads(arrays.pop("about"))
        head, tail = arrays.pop("head"), arrays.pop("tail")
        graphs = BlockGraphs(head, {Block.named(name): onnx for name, onnx in arrays.items()}, tail)
        cache = DenoiserCache(
            CacheKey(**about["key"]), {Block.named(name): tuple(steps) for name, steps in about["schedule"].items()}, graphs
        )
        _check(cache, path)
        return cache


def _check(cache: DenoiserCache, path: Path) -> None:
    for block in cache.graphs.blocks:
        steps = cache.schedule.get(block, ())
        if not steps or steps[0] != 0 or not set(steps) <= set(range(cache.key.steps)):
            raise BundleError(
                f"{path}: block {block} is refreshed at the steps {steps}; expected 0 and others below {cache.key.steps}. "
                f"Make it again: {_AGAIN}."
            )


# condition (1, D) → the denoiser for one plan
Denoisers = Callable[[NDArray[np.float32]], Denoiser]


def cached_denoisers(bundle: Bundle, path: Path, spec: DiffusionSpec) -> Denoisers:
    """Return what denoises a plan by the file `path`; nothing is kept from one plan to the next.

    Raises ConfigError where the file is for another denoiser or for other sampling, BundleError where it computes something else.
    """
    cache, key = DenoiserCache.load(path), CacheKey.of(bundle, spec)
    if cache.key != key:
        raise ConfigError(
            f"{path} is for {cache.key}; bundle '{bundle.card.id}' is sampled as {key}. Choose that, or make a file for this: {_AGAIN}."
        )
    engine = BlockEngine(cache.graphs)
    inputs = example_observation(bundle.card)["denoiser"]
    error = proven_error(engine, [Proof(inputs, bundle.run("denoiser", **inputs))])
    if not error <= TOLERANCES["fp32"]:
        raise BundleError(
            f"{path}: its blocks differ from the denoiser that runs by {error:.2g} of what it should be, allowed is {TOLERANCES['fp32']}. "
            "They are the bundle's own on ONNX Runtime's CPU in fp32: choose no other precision, or make the file again."
        )
    due = [{block for block, steps in cache.schedule.items() if step in steps} for step in range(key.steps)]

    def denoisers(condition: NDArray[np.float32]) -> Denoiser:
        kept, coming = Kept(), iter(due)

        def denoise(sample: Sample, timestep: Any) -> Sample:
            return engine.step(next(coming), kept, sample=sample, timestep=np.array([timestep]), condition=condition)

        return denoise

    return denoisers


def record(
    engine: BlockEngine, sampler: Sampler, shape: tuple[int, int], conditions: Sequence[NDArray[np.float32]], seed: int
) -> dict[Block, Reuse]:
    """Return how well each block's output can be reused, on average over a plan for each of `conditions` (1, D), nothing left out."""
    rng, plans = np.random.default_rng(seed), []
    for condition in conditions:
        given: list[Kept] = []

        def denoise(sample: Sample, timestep: Any, condition: Any = condition, given: list[Kept] = given) -> Sample:
            given.append(Kept())
            return engine.step(engine.blocks, given[-1], sample=sample, timestep=np.array([timestep]), condition=condition)

        sampler.sample(denoise, rng.standard_normal((1, *shape), dtype=np.float32), rng)
        plans.append({block: Reuse.of(np.stack([of.outputs[block].ravel() for of in given])) for block in engine.blocks})
    return mean_reuse(plans)
