"""MCAP bags as rosbag2 writes them: profile ros2, CDR bytes as they came, message definitions inside, metadata.yaml beside."""

import contextlib
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from mcap.writer import CompressionType, Writer
from rclpy.qos import QoSProfile

from tactus_core.datasets.bag import DROPPED
from tactus_core.errors import DataError, SetupError

_SEPARATOR = "=" * 80
_PRIMITIVE = re.compile(r"^(bool|byte|char|w?string|u?int(8|16|32|64)|float(32|64))\b")


def definition(type_name: str) -> str:
    """Return the `ros2msg` schema of a type such as `std_msgs/msg/Header`: its text, and that of every type inside it."""
    texts: dict[str, str] = {}
    waiting = [type_name]
    while waiting:
        package, _, name = waiting.pop().split("/")
        short = f"{package}/{name}"
        if short in texts:
            continue
        texts[short] = _message_file(package, name).read_text()
        waiting += _inner_types(texts[short], package)
    (_, first), *others = texts.items()
    return "\n".join([first, *(f"{_SEPARATOR}\nMSG: {short}\n{text}" for short, text in others)])


def _message_file(package: str, name: str) -> Path:
    for prefix in os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep):
        path = Path(prefix) / "share" / package / "msg" / f"{name}.msg"
        if path.is_file():
            return path
    raise SetupError(
        f"no {package}/msg/{name}.msg in AMENT_PREFIX_PATH: the recorder needs its definition. Source the workspace that has it."
    )


def _inner_types(text: str, package: str) -> list[str]:
    found = []
    for line in text.splitlines():
        kind = line.split("#")[0].split()
        if len(kind) < 2 or _PRIMITIVE.match(kind[0]):
            continue
        inner = kind[0].split("[")[0]
        found.append("/msg/".join(inner.split("/")) if "/" in inner else f"{package}/msg/{inner}")
    return found


@dataclass
class _Topic:
    channel: int
    metadata: dict[str, Any]
    count: int = 0


@dataclass
class BagWriter:
    """Writes one bag into `folder`, which must not exist yet. Raises OSError where the disk does."""

    folder: Path
    _topics: dict[str, _Topic] = field(default_factory=dict)
    _first_ns: int | None = None
    _last_ns: int = 0

    def __post_init__(self) -> None:
        try:
            self.folder.mkdir(parents=True)
        except FileExistsError:
            raise DataError(f"{self.folder} exists already, and a bag is never overwritten. Choose another folder.") from None
        self._file = (self.folder / f"{self.folder.name}_0.mcap").open("wb")
        self._writer = Writer(self._file, compression=CompressionType.LZ4)
        self._writer.start(profile="ros2", library="tactus")
        try:
            self._file.flush()  # a disk that is full says so now
        except OSError:
            self.abandon()
            shutil.rmtree(self.folder)
            raise

    def add_topic(self, name: str, type_name: str, qos: QoSProfile, type_hash: str) -> None:
        """Declare a topic; once each."""
        offered = yaml.safe_dump([_qos(qos)], sort_keys=False)
        schema = self._writer.register_schema(type_name, "ros2msg", definition(type_name).encode())
        channel_metadata = {"offered_qos_profiles": offered, "topic_type_hash": type_hash}
        channel = self._writer.register_channel(name, "cdr", schema, metadata=channel_metadata)
        fields = {"name": name, "type": type_name, "serialization_format": "cdr", "offered_qos_profiles": [_qos(qos)]}
        self._topics[name] = _Topic(channel, fields | {"type_description_hash": type_hash})

    def write(self, name: str, received_ns: int, data: bytes) -> None:
        """Append a message, as it was on the wire."""
        topic = self._topics[name]
        self._writer.add_message(topic.channel, received_ns, data, received_ns, topic.count)
        topic.count += 1
        self._first_ns = received_ns if self._first_ns is None else min(self._first_ns, received_ns)
        self._last_ns = max(self._last_ns, received_ns)

    def abandon(self) -> None:
        """Let go of a file that the disk refuses; what it has stays, without an index."""
        with contextlib.suppress(OSError):
            self._file.close()

    def close(self, dropped: Mapping[str, int] | None = None) -> None:
        """Finish the file and write `metadata.yaml`. dropped: messages that should be in it and are not, by topic."""
        self._writer.add_metadata(DROPPED, {name: str(count) for name, count in (dropped or {}).items()})
        self._writer.finish()
        self._file.close()
        first_ns = self._first_ns or 0
        span = {"duration": {"nanoseconds": max(0, self._last_ns - first_ns)}, "starting_time": {"nanoseconds_since_epoch": first_ns}}
        total = sum(topic.count for topic in self._topics.values())
        information = {
            "version": 9,
            "storage_identifier": "mcap",
            **span,
            "message_count": total,
            "topics_with_message_count": [{"topic_metadata": t.metadata, "message_count": t.count} for t in self._topics.values()],
            "compression_format": "",
            "compression_mode": "",
            "relative_file_paths": [Path(self._file.name).name],
            "files": [{"path": Path(self._file.name).name, **span, "message_count": total}],
            "custom_data": None,
            "ros_distro": os.environ.get("ROS_DISTRO", "jazzy"),
        }
        text = yaml.safe_dump({"rosbag2_bagfile_information": information}, sort_keys=False)
        (self.folder / "metadata.yaml").write_text(text)


def _qos(qos: QoSProfile) -> dict[str, Any]:
    endless = {"sec": 9223372036, "nsec": 854775807}
    return {
        "history": qos.history.name.lower(),
        "depth": qos.depth,
        "reliability": qos.reliability.name.lower(),
        "durability": qos.durability.name.lower(),
        "deadline": endless,
        "lifespan": endless,
        "liveliness": "automatic",
        "liveliness_lease_duration": endless,
        "avoid_ros_namespace_conventions": False,
    }
