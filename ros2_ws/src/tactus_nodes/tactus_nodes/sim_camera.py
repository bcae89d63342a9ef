"""Draws the simulated world for the policy's cameras, in a process of its own: drawing must not stall physics."""

import time
from dataclasses import dataclass

from tactus_core.config import param
from tactus_msgs.msg import WorldState
from tactus_nodes import convert_seen, convert_tactus, topics
from tactus_nodes.base import NodeConfig, TactusNode
from tactus_nodes.contract import Input, card_of, parameter
from tactus_nodes.plugins import find_task
from tactus_nodes.process import run


@dataclass(frozen=True, kw_only=True)
class SimCameraConfig(NodeConfig):
    """Parameters of the simulated cameras."""

    task: str = param(doc="Simulated task, by its entry point in 'tactus.tasks'.")
    shift: str = param("", doc="Other circumstances of the task, by name; empty: the usual ones.")
    bundle: str = param(doc="Policy bundle whose cameras are drawn; one of none leaves the task's first.")
    rate_Hz: float = param(10.0, low=0.1, high=20.0, doc="Images per second; worlds arrive 20 times a second.")
    world_max_age_s: float = param(0.15, low=0.05, high=1.0, doc="Silence of the world from which the camera counts as blind.")


class SimCamera(TactusNode):
    """An image per camera and period, of the world that has just come, with that world's stamp; none is drawn twice."""

    Config = SimCameraConfig
    inputs = (Input(topics.WORLD, "draws nothing: no image", parameter("world_max_age_s")),)

    def configure(self) -> None:
        """Load the renderers."""
        task = find_task(self.config.task, self.config.shift)
        names = list(card_of(self.config).observation.cameras) or [task.cameras[0]]
        stand_in = task.seen_by(names)
        drawn = [(self.publisher(topic), task.make_camera(stand_in[name])) for name, topic in topics.images(names).items()]
        # Whoever sees with several waits for the first.
        self._cameras = [*drawn[1:], drawn[0]]
        self.subscribe(topics.WORLD, self._take)
        self._next_s = 0.0

    def _take(self, message: WorldState) -> None:
        now_s = time.monotonic()
        # Half a world's period of slack, or jitter would now and then skip one world too many.
        if now_s < self._next_s - 0.025:
            return
        self._next_s = max(self._next_s, now_s - 0.025) + 1.0 / self.config.rate_Hz
        snapshot = convert_tactus.snapshot(message)
        for out, camera in self._cameras:
            out.publish(convert_seen.to_image(camera.render(snapshot), message.header.stamp))
        self.ticks += 1


def main() -> None:
    """Run the node."""
    run(SimCamera, "sim_camera")
