"""Caches of transformer denoisers: made from observations of episodes, and timed beside what they are to replace."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tactus_cli.engines import observe
from tactus_cli.speed import history, quantiles
from tactus_core.engines.blocks import BlockEngine, cut
from tactus_core.engines.precision import spread
from tactus_core.errors import BundleError, ConfigError
from tactus_core.policy.bundle import Bundle, example_observation
from tactus_core.policy.caching import CacheKey, DenoiserCache, record
from tactus_core.policy.refreshing import adaptive, reuse_error, uniform
from tactus_core.policy.sampling import chosen, make_sampler
from tactus_core.policy.slow import DiffusionPolicy
from tactus_core.policy.specs import DiffusionSpec


def make_cache(
    folder: Path, sampling: tuple[str, int], refreshes: int, bubbled: int | None, plans: int, seconds: float, seed: int, out: Path
) -> dict[str, Any]:
    """Write the cache of a bundle for (sampler, steps); return its schedule, by block, and the share of blocks that it computes.

    bubbled: see `adaptive`; None: all blocks are refreshed together, at even distances. plans: how many are recorded, from the
    observations of `seconds` of episodes. Raises a TactusError.
    """
    bundle = Bundle.load(folder)
    card = bundle.card
    if not isinstance(card.generator, DiffusionSpec):
        raise BundleError(f"bundle '{card.id}' is no diffusion policy: there are no denoising steps to leave anything out of.")
    spec = chosen(card.generator, *sampling)
    graphs = cut((folder / card.graphs["denoiser"].file).read_bytes(), f"the denoiser of bundle '{card.id}'")
    engine = BlockEngine(graphs)
    conditions = [inputs["condition"] for inputs in observe(folder, card, seconds)["denoiser"][:: card.generator.inference_steps]]
    if not conditions:
        raise ConfigError(f"nothing was planned in --observe {seconds:g} s of episodes, so nothing can be recorded. Observe for longer.")
    reuse = record(engine, make_sampler(spec), card.sample_shape, spread(conditions, plans), seed)
    schedule = uniform(engine.blocks, spec.inference_steps, refreshes) if bubbled is None else adaptive(reuse, refreshes, bubbled)
    key = CacheKey.of(bundle, spec)
    DenoiserCache(key, schedule, graphs).save(out)
    rows = {
        str(block): {"refreshes": list(steps), "reuse_error": reuse_error(reuse[block].difference, steps)}
        for block, steps in schedule.items()
    }
    computed = sum(map(len, schedule.values())) / (len(schedule) * spec.inference_steps)
    return {"bundle": card.name, **vars(key), "plans": min(plans, len(conditions)), "computed": computed, "blocks": rows, "file": str(out)}


def compare_caches(name: str, caches: Sequence[Path], few: Sequence[int], repetitions: int, seed: int) -> dict[str, Any]:
    """Return p50 and p99 [ms] of plans in turns: with each cache, by the same sampling without it, and by DDIM in each of `few` steps.

    Raises a TactusError.
    """
    bundle = Bundle.load(name)
    keys = {path: DenoiserCache.load(path).key for path in caches}
    choices: dict[str, dict[str, Any]] = {
        f"{key.sampler} {key.steps}": {"sampler": key.sampler, "steps": key.steps} for key in keys.values()
    }
    choices |= {f"ddim {steps}": {"sampler": "ddim", "steps": steps} for steps in few}
    choices |= {str(path): {"sampler": key.sampler, "steps": key.steps, "cache": path} for path, key in keys.items()}
    features, encoded = np.zeros(0, np.float32), np.zeros(bundle.card.observation.encoded_size)
    if "encoder" in bundle.engines:
        features = bundle.run("encoder", **example_observation(bundle.card)["encoder"])[0]
    states, stamp_s = history(bundle.card, 0.0, seed).view(), bundle.card.lookback_s
    policies = {what: DiffusionPolicy(bundle, seed, **choice) for what, choice in choices.items()}
    plans = {
        what: [lambda policy=policy: policy.infer(features, states, stamp_s, encoded)] * repetitions for what, policy in policies.items()
    }
    times, rows = quantiles(plans), []
    for what, choice in choices.items():
        whole = times[f"{choice['sampler']} {choice['steps']}"]
        cached = {"times_faster": round(whole["p50"] / times[what]["p50"], 2)} if "cache" in choice else {}
        rows.append({"what": what, "plan_ms": times[what], **cached})
    return {"bundle": bundle.card.name, "repetitions": repetitions, "plans": rows}
