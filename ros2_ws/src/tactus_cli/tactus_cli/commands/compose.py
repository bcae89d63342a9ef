"""Several policies of one task as one bundle: at each denoising step the weighted sum of what they predict (GPC). docs/policies.md.

The bundles have to be trained on the same demonstrations with the same split, all by diffusion or all by flow matching; what they observe
may differ.
"""

from pathlib import Path

import click

from tactus_cli.options import TUNING_SEED, json_option, write_json
from tactus_core.errors import ConfigError


@click.group(help=__doc__)
def command() -> None:
    """Several policies as one."""


@command.command("bundle")
@click.argument("bundles", nargs=-1, required=True)
@click.option(
    "--weight", "weights", type=click.FloatRange(0.0, 1.0), multiple=True, required=True,
    help="Given again for each bundle; they sum to 1, and the last one may be left out.",
)  # fmt: skip
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="The folder of the bundle, which is named after it."
)
def bundle(bundles: tuple[str, ...], weights: tuple[float, ...], out: Path) -> None:
    """Write the bundle of BUNDLES; it runs wherever bundles run."""
    from tactus_core.policy.bundle import find_bundle
    from tactus_core.policy.composing import Parent, compose

    if len(weights) == len(bundles) - 1:
        weights = (*weights, 1.0 - sum(weights))
    card = compose([Parent.load(find_bundle(name).resolve()) for name in bundles], weights, out)
    click.echo(f"wrote {out}: {' + '.join(f'{weight:g} · {name}' for weight, name in zip(weights, bundles, strict=True))}")
    click.echo(f"how good it is: ./tactus evaluate --bundle {out} --task {card.task} --episodes 20 --seed {TUNING_SEED}")


@command.command()
@click.argument("first")
@click.argument("second")
@click.option(
    "--weight", "weights", type=click.FloatRange(0.0, 1.0), multiple=True,
    help="Of the first bundle; given again for each that is tried.  [default: 0, 0.1, … 1]",
)  # fmt: skip
@click.option("--episodes", type=click.IntRange(min=1), default=25, show_default=True, help="Tuning seeds for each weight.")
@click.option("--workers", type=click.IntRange(min=1), default=2, show_default=True, help="Worker processes.")
@click.option(
    "--folder", type=click.Path(file_okay=False, path_type=Path), help="Bundles and outcomes; default: runs/compose/FIRST+SECOND."
)
@json_option
def search(
    first: str, second: str, weights: tuple[float, ...], episodes: int, workers: int, folder: Path | None, json_file: Path | None
) -> None:
    """Find the weight with the highest success rate, in lockstep on tuning seeds; a second call goes on where the first one stopped."""
    from rich.console import Console

    from tactus_cli.composing import search_weights, weights_table
    from tactus_core.policy.bundle import find_bundle

    folders = find_bundle(first).resolve(), find_bundle(second).resolve()
    into = folder or Path("runs/compose") / "+".join(of.name for of in folders)
    tried = sorted(set(weights or (number / 10 for number in range(11))))
    if episodes > TUNING_SEED:
        raise ConfigError(f"--episodes {episodes}: there are {TUNING_SEED} tuning seeds.")
    result = search_weights(folders, tried, episodes, workers, into)
    Console().print(weights_table(result))
    write_json(json_file, result)
