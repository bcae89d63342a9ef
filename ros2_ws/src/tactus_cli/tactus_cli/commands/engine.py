"""Build a bundle's networks for what will run them (GPU, int8), prove them against the reference, keep them in the cache.

BUNDLE is a name in models/bundles, or a folder. Afterwards --backend and --precision of `evaluate`, `bench policy` and `serve`, and the
launch arguments and parameters of the same names, find the engines there: docs/engines.md.

int8 takes its scales from lockstep episodes of the bundle's task, on tuning seeds. TensorRT-RTX builds for a GPU that is not here:
--compute-capability 8.9; such engines are proven when they are first opened on it.
"""

from pathlib import Path

import click

from tactus_cli.options import engine_options, json_option, observe_option, write_json
from tactus_core.engines.port import EngineConfig


@click.command(help=__doc__)
@click.argument("bundle")
@engine_options
@click.option("--compute-capability", default="", metavar="X.Y", help="The GPU to build for.  [default: this machine's]")
@observe_option
@json_option
def command(bundle: str, engine: EngineConfig, compute_capability: str, seconds: float, json_file: Path | None) -> int:
    """Build and prove; the exit code is 1 where an engine does not prove itself."""
    from tactus_cli.engines import make_engines
    from tactus_core.policy.bundle import find_bundle
    from tactus_core.policy.card import load_card

    folder = find_bundle(bundle).resolve()
    card, made = load_card(folder / "card.yaml"), []
    if engine.is_reference:
        click.echo("ONNX Runtime on the CPU in fp32 is the reference: it runs the bundle's own files, and there is nothing to build.")
    else:
        for row in make_engines(folder, card, engine, compute_capability, seconds, lambda warning: click.echo(warning, err=True)):
            made.append(row)
            error = "not run here" if row.error is None else f"error {row.error:.2g}, allowed {row.tolerance:g}"
            click.echo(
                f"{row.graph:12}{row.state:7}{row.size_MB:8.2f} MB   {error}{': NOT USABLE' if row.failed else ''}  {row.note}".rstrip()
            )
    rows = [vars(row) | {"failed": row.failed} for row in made]
    write_json(json_file, {"bundle": card.id, "backend": engine.backend, "precision": engine.precision, "engines": rows})
    return 1 if any(row.failed for row in made) else 0
