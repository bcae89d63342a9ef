"""What an encoder hears, by its kind, and what it makes of it."""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sensor_msgs.msg import CameraInfo, Image, JointState, PointCloud2

from tactus_core.errors import ConfigError, DataError
from tactus_core.geometry import rigid, rotation_matrix
from tactus_core.perception.cloud import Intrinsics
from tactus_core.perception.embedding import MarkerEmbedding, MarkerEncoder
from tactus_core.perception.encoder_card import CARD, EncoderCard, EncoderKind
from tactus_core.perception.encoders import CloudEncoder, ImageEncoder
from tactus_core.perception.markers import MarkerConfig
from tactus_core.perception.nearest import HandConfig, HandEncoder
from tactus_nodes import convert, convert_seen, topics
from tactus_nodes.plugins import find_robot

Features = NDArray[np.float32]


class Encoding(ABC):
    """Features of the messages of one topic. What hears another topic, too, has `keep`: it takes a message of that; raises DataError."""

    def begin(self) -> None:  # noqa: B027 - most have nothing to begin with
        """Start anew: nothing touches the sensor now."""

    @abstractmethod
    def encode(self, message: Any) -> Features | None:
        """Return the features of a message, None while the encoder gets ready; raises DataError."""


class ImageEncoding(Encoding):
    """An rgb image → features of a graph."""

    def __init__(self, node: Any, folder: Path, card: EncoderCard) -> None:
        self._encoder = ImageEncoder(folder, card)

    def encode(self, message: Image) -> Features | None:
        """See `Encoding`."""
        return self._encoder.encode(convert_seen.image(message))


class CloudEncoding(Encoding):
    """A depth image → `camera/cloud`, and its features."""

    def __init__(self, node: Any, folder: Path, card: EncoderCard) -> None:
        config = node.config
        if not (any(config.position_base_camera_m) or any(config.rotation_base_camera_rad)):
            raise ConfigError(
                "where the depth camera stands is not known: position_base_camera_m and rotation_base_camera_rad are all 0. Set them to "
                "the pose of its optical frame in the robot's base."
            )
        R = rotation_matrix(np.array(config.rotation_base_camera_rad))
        self._encoder = CloudEncoder(folder, card, rigid(np.array(config.position_base_camera_m), R))
        self._camera: Intrinsics | None = None
        self._out, self._frame = node.publisher(topics.CLOUD), config.base_frame

    def keep(self, message: CameraInfo) -> None:
        """Learn the camera's intrinsics."""
        self._camera = convert_seen.intrinsics(message)

    def encode(self, message: Image) -> Features | None:
        """See `Encoding`."""
        if self._camera is None:
            raise DataError(f"no intrinsics have come on {topics.DEPTH_INFO.name}; without them a depth image is no cloud. Have them sent.")
        points, features = self._encoder.encode(convert_seen.depth_m(message), self._camera)
        cloud = convert_seen.taxel_cloud(1, len(points), convert_seen.POINT_FIELDS)
        cloud.header.stamp, cloud.header.frame_id = message.header.stamp, self._frame
        convert_seen.put_taxels(points, cloud)
        self._out.publish(cloud)
        return features


class MarkerEncoding(Encoding):
    """An image of a gel with dots → `optical_touch/markers`, and their embedding."""

    FIELDS = ("x_px", "y_px", "dx_px", "dy_px")

    def __init__(self, node: Any, folder: Path, card: EncoderCard) -> None:
        self._config, self._embedding = card.part(MarkerConfig, str(folder / CARD)), MarkerEmbedding.load(folder)
        self._out = node.publisher(topics.MARKERS)

    def begin(self) -> None:
        """Start without a reference."""
        self._encoder = MarkerEncoder(self._config, self._embedding)

    def encode(self, message: Image) -> Features | None:
        """See `Encoding`."""
        found = self._encoder.encode(convert_seen.image(message))
        if found is None:
            return None
        markers, features = found
        dots = convert_seen.taxel_cloud(1, len(markers.position_px), self.FIELDS)
        dots.header, dots.is_dense = message.header, bool(np.isfinite(markers.position_px).all())
        convert_seen.put_taxels(np.hstack([markers.position_px, markers.displacement_px]), dots)
        self._out.publish(dots)
        return features


class HandEncoding(Encoding):
    """Joints, and the newest cloud → vectors from the hand's links to what is nearest."""

    def __init__(self, node: Any, folder: Path, card: EncoderCard) -> None:
        self._robot = find_robot(card.part(HandConfig, str(folder / CARD)).robot)
        self._encoder = HandEncoder(self._robot)
        self._points: NDArray[np.float32] | None = None

    def keep(self, message: PointCloud2) -> None:
        """Take a cloud, in the robot's base."""
        if message.header.frame_id != self._robot.base_frame:
            raise DataError(f"cloud is in frame '{message.header.frame_id}', expected '{self._robot.base_frame}'. Set base_frame there.")
        self._points = convert_seen.points(message)

    def encode(self, message: JointState) -> Features | None:
        """See `Encoding`."""
        if self._points is None:
            raise DataError("no cloud that could be used has come.")
        arm, hand = (convert.joint_positions(message, tuple(names)) for names in (self._robot.arm_joints, self._robot.hand_joints))
        return self._encoder.encode(arm, hand, self._points)


KINDS: dict[str, type[Encoding]] = {
    EncoderKind.IMAGE: ImageEncoding,
    EncoderKind.CLOUD: CloudEncoding,
    EncoderKind.MARKERS: MarkerEncoding,
    EncoderKind.HAND: HandEncoding,
}
