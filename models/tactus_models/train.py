"""Training of the wiping policies, from demonstrations to bundles: `python -m tactus_models.train --help`."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from tactus_core.datasets.replay_data import is_data_set
from tactus_core.errors import ConfigError, TactusError
from tactus_core.policy.specs import DirectSpec
from tactus_core.types import RobotDescription
from tactus_models.config import POLICIES, WIPE, TrainConfig, bundle_folders, chosen_policy, read_config
from tactus_models.dataset import Dataset, prepare, provenance
from tactus_models.diffusion import ActionTarget, DiffusionStage, LatentTarget, SlowPolicy
from tactus_models.distil import distil
from tactus_models.encoders.frozen import Frozen
from tactus_models.export import Trained, export_bundle
from tactus_models.loop import Result, fit
from tactus_models.tokenizer import TokenizerStage

STAGES = ("samples", "tokenizer", "latent", "chunk")


def train_wipe(
    data_dir: Path,
    work_dir: Path,
    bundle_dirs: Mapping[str, Path],
    config: TrainConfig,
    stages: Sequence[str] = STAGES,
    robot: RobotDescription | None = None,
    frozen: Frozen | None = None,
) -> dict[str, Result[Any]]:
    """Train `stages` on the demonstrations in `data_dir`, export `latent`, `chunk` and `distil` to `bundle_dirs`; return each one's result.

    There are two rounds: `data_dir`/*.npz, and `data_dir`/slow/*.npz by slow hands, on which the fast head and the baseline go on. A data
    set of recordings, of `robot`, is one round. `distil` takes of them what was observed, and the rest from a bundle that there is.
    `samples` are prepared before any stage; `latent` trains or finishes the tokenizer first. `chunk` needs no tokenizer: once the samples
    are there, it can run in a process of its own. With `frozen` policies observe what that encoder makes of an image, in its place.
    Checkpoints, logs (`<stage>.jsonl`) and prepared samples are kept in `work_dir`; a second call goes on where the first
    one stopped. Raises ConfigError, DataError or BundleError.
    """
    torch.set_num_threads(config.threads)
    data = prepare(data_dir, work_dir / "samples", config.data, robot)
    more = None if is_data_set(data_dir) else prepare(data_dir / "slow", work_dir / "samples-slow", config.data)
    if frozen is not None:
        data, more = frozen.see(data, work_dir / "samples"), None if more is None else frozen.see(more, work_dir / "samples-slow")
    rounds = [data] if more is None else [data, more]
    tokenizing = TokenizerStage(data, config)
    results: dict[str, Result[Any]] = {}
    if "tokenizer" in stages or "latent" in stages:
        results["tokenizer"] = results["head"] = fit(tokenizing, work_dir, config.seed, config.minutes_tokenizer)
        if more is not None:
            head = tokenizing.further(more, results["tokenizer"].module)
            results["head"] = fit(head, work_dir, config.seed, config.minutes_tokenizer)
    if "latent" in stages:
        stage = DiffusionStage(data, LatentTarget(data, results["tokenizer"].module, tokenizing), config)
        results["latent"] = fit(stage, work_dir, config.seed, config.minutes_diffusion)
        parts = common_parts(stage, results["latent"], rounds, bundle_dirs["latent"].name)
        bundle = replace(
            parts,
            graphs={**parts.graphs, "fast_head": results["head"].module.fast},
            normalisers={**parts.normalisers, "action": tokenizing.action, "window": tokenizing.window},
            training={**parts.training, "tokenizer": results["tokenizer"].provenance, "head": results["head"].provenance},
        )
        export_bundle(bundle, bundle_dirs["latent"], config)
    if "distil" in stages:
        results["distil"] = distil(rounds, work_dir, bundle_dirs["distil"], config)
    if "chunk" in stages:
        stage = DiffusionStage(data, ActionTarget(data, tokenizing.action), config)
        first = results["chunk"] = fit(stage, work_dir, config.seed, config.minutes_diffusion)
        if more is not None:
            stage = stage.further(more, ActionTarget(more, tokenizing.action), first.module)
            results["chunk"] = fit(stage, work_dir, config.seed, config.minutes_diffusion)
        parts = common_parts(stage, results["chunk"], rounds, bundle_dirs["chunk"].name)
        bundle = replace(parts, training={**parts.training, "first_round": first.provenance})
        export_bundle(bundle, bundle_dirs["chunk"], config)
    return results


def common_parts(stage: DiffusionStage, result: Result[SlowPolicy], rounds: Sequence[Dataset], name: str) -> Trained:
    """Return what all bundles have; the target's own normaliser is named after its kind."""
    policy, graph = result.module, "planner" if isinstance(stage.objective.spec, DirectSpec) else "denoiser"
    return Trained(
        name=name,
        kind=stage.target.kind,
        graphs={**({} if stage.encoders else {"encoder": policy.encoder}), graph: policy.generator},
        normalisers={**stage.normalisers, str(stage.target.kind): stage.target.normaliser},
        features=stage.features,
        encoders=stage.encoders,
        sample_shape=stage.target.shape,
        generator=stage.objective.spec,
        training={
            **provenance(rounds),
            "slow_policy": result.provenance,
            **stage.identity,
        },
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m tactus_models.train", description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("runs/data/wipe"), help="folder of demonstrations (*.npz)")
    parser.add_argument("--work", type=Path, default=Path("runs/train/wipe"), help="folder of checkpoints, logs and prepared samples")
    parser.add_argument("--bundles", type=Path, default=Path("models/bundles"), help="folder that wipe-rdp and wipe-chunk are written to")
    parser.add_argument("--stages", default=",".join(STAGES), help="comma-separated: samples, tokenizer, latent, chunk")
    parser.add_argument("--policy", choices=POLICIES["wipe"], help="train this policy, in the place of --stages")
    parser.add_argument("--config", type=Path, help="YAML file of differences from the defaults")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--minutes", type=float, help="wall-clock budget of each slow policy")
    parser.add_argument("--minutes-tokenizer", type=float, help="wall-clock budget of the tokenizer")
    given = parser.parse_args(arguments)
    chosen = {
        "seed": given.seed,
        "threads": given.threads,
        "minutes_diffusion": given.minutes,
        "minutes_tokenizer": given.minutes_tokenizer,
    }
    stages = tuple(given.stages.split(","))
    try:
        if unknown := set(stages) - set(STAGES):
            raise ConfigError(f"--stages: unknown {', '.join(sorted(unknown))}; choose from {', '.join(STAGES)}.")
        config = replace(read_config(given.config, WIPE), **{name: value for name, value in chosen.items() if value is not None})
        if given.policy:
            config, stages = chosen_policy(config, given.policy)
        train_wipe(given.data, given.work, bundle_folders(given.bundles, config), config, stages)
    except TactusError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
