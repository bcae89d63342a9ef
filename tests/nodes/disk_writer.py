"""A process that records what it is told to: a line is a message, "how?" asks how it stands. Run by test_disk."""

import sys
from pathlib import Path

from rclpy.qos import QoSProfile

from tactus_nodes.disk import Disk


def main() -> None:
    disk = Disk(Path(sys.argv[1]), 10_000, lambda text: None)
    disk.add_topic("/said", "std_msgs/msg/String", QoSProfile(depth=1), "RIHS01_0")
    print("ready", flush=True)
    for number, line in enumerate(sys.stdin):
        if line.strip() == "how?":
            print(disk.failure or "writes", disk.lost, flush=True)
        else:
            disk.put("/said", number, b"\0\1\0\0" + line.encode() * 1000)
    disk.close()


main()
