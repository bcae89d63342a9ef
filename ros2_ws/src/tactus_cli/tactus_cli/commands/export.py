"""Make an encoder: local weights, a sensor's principal components or a robot's hand → a folder with a card, which a node runs.

Run it with the launch argument encoder:=FOLDER; how fast it is: ./tactus bench encoders --encoder FOLDER.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from tactus_core.perception.encoder_card import EncoderCard

_path, _corner = click.Path(path_type=Path), (float, float, float)
_seconds = click.FloatRange(min=0.001)
_weights = click.argument("weights", type=_path)
_folder = click.argument("folder", type=_path)
_height = click.option("--height", type=int, default=240, show_default=True, help="Of the images [pixels].")
_width = click.option("--width", type=int, default=320, show_default=True, help="Of the images [pixels].")


def _carded(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add what every card says."""
    for option in (
        click.option("--name", help="Of the encoder; default: the folder's."),
        click.option("--version", default="1", show_default=True, help="Of the encoder."),
        click.option("--licence", default="unknown", show_default=True, help="Of the weights."),
        click.option("--max-age", type=_seconds, default=0.3, show_default=True, help="Oldest sample that is encoded [s]."),
    ):
        command = option(command)
    return command


@click.group(help=__doc__)
def command() -> None:
    """Make an encoder."""


@command.command()
@_weights
@_folder
@click.option("--network", default="resnet18", show_default=True, help="resnet18, touchnet, or timm:NAME of that library.")
@_height
@_width
@click.option("--resize", type=(int, int), metavar="HEIGHT WIDTH", help="What the network sees, where it is not the image's size.")
@click.option("--touch", is_flag=True, help="Images of a gel (optical_touch/image) in the place of a camera's (camera/image).")
@_carded
def backbone(
    weights: Path, folder: Path, network: str, height: int, width: int, resize: tuple[int, int] | None, touch: bool, **card: Any
) -> None:
    """Rgb images → features: a state dict, WEIGHTS, of a ResNet-18 (BatchNorm or GroupNorm), a TouchNet or a model of timm."""
    from tactus_core.config import from_mapping
    from tactus_core.perception.encoders import ImageConfig
    from tactus_models.encoders.export import export_image

    image = from_mapping(ImageConfig, {"height": height, "width": width}, "the command line")
    fields = _fields(folder, "touch_image" if touch else "image", **card)
    _tell(export_image(network, weights, folder, image, resize, **fields), folder)


@command.command()
@_weights
@_folder
@click.option("--points", type=int, default=512, show_default=True, help="Of a cloud.")
@click.option("--low", type=_corner, default=(0.2, -0.5, -0.1), show_default=True, help="Lowest corner of the box, in the base [m].")
@click.option("--high", type=_corner, default=(0.9, 0.5, 0.6), show_default=True, help="Highest corner [m].")
@_carded
def cloud(weights: Path, folder: Path, points: int, low: tuple[float, float, float], high: tuple[float, float, float], **card: Any) -> None:
    """Depth images → points → features: a state dict, WEIGHTS, of a PointNet with the widths of DP3."""
    from tactus_core.config import from_mapping
    from tactus_core.perception.cloud import CloudConfig
    from tactus_models.encoders.export import export_cloud

    config = from_mapping(CloudConfig, {"points": points, "low_m": low, "high_m": high}, "the command line")
    _tell(export_cloud(weights, folder, config, **_fields(folder, "depth", **card)), folder)


@command.command()
@click.argument("pca", type=_path)
@_folder
@click.option("--diameter", type=float, default=9.0, show_default=True, help="Of a dot [pixels].")
@click.option("--contrast", type=float, default=0.2, show_default=True, help="Share by which a dot is darker than the gel.")
@_carded
def markers(pca: Path, folder: Path, diameter: float, contrast: float, **card: Any) -> None:
    """Dots on a gel → their displacements → principal components: PCA is a folder of two .npy files, as RDP publishes it."""
    import shutil

    from tactus_core.perception.embedding import MarkerEmbedding
    from tactus_core.perception.encoder_card import FILES, EncoderKind, write_encoder_card

    embedding = MarkerEmbedding.load(pca)
    folder.mkdir(parents=True, exist_ok=True)
    for name in FILES[EncoderKind.MARKERS]:
        shutil.copyfile(pca / name, folder / name)
    settings = {"diameter_px": diameter, "contrast": contrast}
    fields = _fields(folder, "touch_image", **card) | {"settings": settings, "training": {"pca": pca.name}}
    _tell(write_encoder_card(folder, kind=EncoderKind.MARKERS, features=embedding.size, **fields), folder)


@command.command()
@_folder
@click.option("--robot", default="panda_allegro", show_default=True, help="Whose hand.")
@click.option("--cloud-age", type=_seconds, default=1.0, show_default=True, help="Oldest cloud to be used [s].")
@_carded
def hand(folder: Path, robot: str, cloud_age: float, **card: Any) -> None:
    """Joints and a cloud → the vector from each link of the hand to the nearest point."""
    from tactus_core.kinematics import HandKinematics
    from tactus_core.perception.encoder_card import EncoderKind, write_encoder_card
    from tactus_nodes.plugins import find_robot

    links = HandKinematics(find_robot(robot)).links
    folder.mkdir(parents=True, exist_ok=True)
    fields = _fields(folder, "joint_states", **card) | {"settings": {"robot": robot}, "training": {"links": list(links)}}
    fields["max_age_s"] |= {"cloud": cloud_age}
    _tell(write_encoder_card(folder, kind=EncoderKind.HAND, features=3 * len(links), **fields), folder)


def _fields(folder: Path, stream: str, name: str | None, version: str, licence: str, max_age: float) -> dict[str, Any]:
    """Return what every card says."""
    return {"name": name or folder.resolve().name, "version": version, "licence": licence, "max_age_s": {stream: max_age}}


def _tell(card: EncoderCard, folder: Path) -> None:
    click.echo(f"wrote {folder}: {card.id}, kind {card.kind}, {card.features} features")
