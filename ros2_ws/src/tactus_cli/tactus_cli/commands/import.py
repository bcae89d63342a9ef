"""Policies that were trained elsewhere → bundles: checkpoints of LeRobot and of Reactive Diffusion Policy. Nothing is unpickled."""

from pathlib import Path

import click

from tactus_cli.options import json_option, write_json
from tactus_core.config import load_yaml
from tactus_core.errors import ConfigError, SetupError
from tactus_core.policy.card import Card
from tactus_core.policy.signals import ARM_SIGNALS, HAND_SIGNALS, OBSERVED

_DEGREE_RAD = 0.017453292519943295


@click.group(help=__doc__)
def command() -> None:
    """Import a policy."""


@command.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--robot", required=True, help="Robot that it was trained on, as Tactus names it.")
@click.option(
    "--state", multiple=True, required=True, type=click.Choice(OBSERVED), help="What observation.state is; again for its next part."
)
@click.option(
    "--action",
    multiple=True,
    required=True,
    type=click.Choice((*ARM_SIGNALS, *HAND_SIGNALS)),
    help="What action is; again for its next part.",
)
@click.option(
    "--rate-hz", required=True, type=click.FloatRange(1.0, 1000.0), help="Frames per second of the data set: config.json has it not."
)
@click.option(
    "--units", default="rad", show_default=True, metavar="rad|deg|FILE",
    help="Of joints; FILE: YAML of joint: [unit_rad, zero_rad], for which a number x is zero_rad + x · unit_rad.",
)  # fmt: skip
@click.option("--task", default="imported", show_default=True, help="Task that it does; one of Tactus' simulated ones can be evaluated.")
@click.option("--sampler", type=click.Choice(["ddim", "ddpm", "dpmsolver++"]), help="Instead of config.json's.")
@click.option("--steps", type=click.IntRange(1, 1000), help="Denoising steps, instead of config.json's.")
@click.option("--into", type=click.Path(path_type=Path), help="Folder of the bundle.  [default: runs/imported/<name of PATH>]")
@json_option
def lerobot(
    path: Path,
    robot: str,
    state: tuple[str, ...],
    action: tuple[str, ...],
    rate_hz: float,
    units: str,
    task: str,
    sampler: str | None,
    steps: int | None,
    into: Path | None,
    json_file: Path | None,
) -> None:
    """A folder with config.json and model.safetensors, of a `diffusion` or an `act` policy: docs/policies.md.

    For example: tactus import lerobot outputs/train/act/checkpoints/last/pretrained_model --robot so101 --state arm_position
    --action arm_position --rate-hz 30 --units deg
    """
    from tactus_nodes.plugins import find_robot

    description = find_robot(robot)
    joints = (*description.arm_joints, *description.hand_joints)
    try:
        from tactus_models.lerobot.bundle import Meaning, import_checkpoint
    except ImportError as error:
        raise _lacking(error) from None
    folder = _folder(into, path)
    meaning = Meaning(description, state, action, rate_hz, joint_units(units, joints), task)
    _tell(import_checkpoint(path, meaning, folder.name, folder, sampler, steps), folder, json_file)


@command.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--robot", required=True, help="Robot that it is for, as Tactus names it.")
@click.option("--tokenizer", type=click.Path(path_type=Path), help="Checkpoint of the tokenizer, where PATH is a .ckpt.")
@click.option(
    "--gripper", nargs=2, type=float, metavar="ZERO_RAD RAD_PER_M",
    help="Where the hand's only joint is at width 0, and how it moves with the gripper's width (negative: it falls).",
)  # fmt: skip
@click.option(
    "--colours", type=click.Choice(["bgr", "rgb"]), default="bgr", show_default=True, help="Of the images it saw; RDP records bgr."
)
@click.option("--rate-hz", type=click.FloatRange(1.0, 1000.0), help="Of its data set, instead of its env_runner's control_fps.")
@click.option("--task", help="Task that it does, instead of the name in its configuration.")
@click.option("--steps", type=click.IntRange(1, 1000), help="Denoising steps.  [default: 8, as RDP on a robot]")
@click.option("--into", type=click.Path(path_type=Path), help="Folder of the bundle.  [default: runs/imported/<name of PATH>]")
@json_option
def rdp(
    path: Path,
    robot: str,
    tokenizer: Path | None,
    gripper: tuple[float, float] | None,
    colours: str,
    rate_hz: float | None,
    task: str | None,
    steps: int | None,
    into: Path | None,
    json_file: Path | None,
) -> None:
    """A Reactive Diffusion Policy: the folder that its unpack.py writes in RDP's own environment, or a .ckpt: docs/policies.md.

    For example: tactus import rdp runs/rdp/wipe --robot ur5e_robotiq_ft300 --gripper 0.8 -9.4
    """
    from tactus_nodes.plugins import find_robot

    try:
        from tactus_models.rdp.bundle import Meaning, import_checkpoint
    except ImportError as error:
        raise _lacking(error) from None
    folder = _folder(into, path)
    meaning = Meaning(find_robot(robot), gripper, colours == "bgr", task)
    _tell(import_checkpoint(path, meaning, folder.name, folder, tokenizer, rate_hz, steps), folder, json_file)


def _lacking(error: ImportError) -> SetupError:
    return SetupError(f"importing needs '{error.name}', which is not installed. Install requirements/train.txt.")


def _folder(into: Path | None, path: Path) -> Path:
    return into or Path("runs/imported") / path.resolve().name.removesuffix(".ckpt")


def _tell(card: Card, folder: Path, json_file: Path | None) -> None:
    """Say what was written."""
    click.echo(f"wrote {folder}: {card.id}, {card.training['from']}, for '{card.robot}'; its graphs agree with the networks within 1e-4")
    for name, camera in card.observation.cameras.items():
        click.echo(f"camera '{name}': {camera.shape[1]}×{camera.shape[0]} rgb at {', '.join(f'{at_s:g}' for at_s in camera.at_s)} s")
    click.echo(f"{card.chunk.steps} steps of {card.chunk.dt_s:.4f} s, planned anew every {card.replan_s:.2f} s")
    if card.latent:
        click.echo(f"decoded with {', '.join(card.latent.window)} since {card.latent.window_before_s:.3f} s before the observation")
    write_json(json_file, {"bundle": str(folder), "id": card.id, "robot": card.robot})


def joint_units(units: str, joints: tuple[str, ...]) -> dict[str, tuple[float, float]]:
    """Return (unit_rad, zero_rad) of each joint that --units names; raises ConfigError for other joints, or numbers that cannot be."""
    if units in ("rad", "deg"):
        return {joint: (_DEGREE_RAD if units == "deg" else 1.0, 0.0) for joint in joints}
    read = {}
    for joint, pair in load_yaml(Path(units)).items():
        numbers = isinstance(pair, list) and len(pair) == 2 and all(type(n) in (int, float) for n in pair)
        if joint not in joints or not numbers or not (0.0 < pair[0] < 1e3 and abs(pair[1]) < 1e3):
            raise ConfigError(
                f"{units}: '{joint}: {pair!r}'; expected a joint of {', '.join(joints)}, and [unit_rad, zero_rad], the first above zero."
            )
        read[joint] = (float(pair[0]), float(pair[1]))
    return read
