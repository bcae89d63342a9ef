"""The ports: what a part has to offer to be plugged in. At most four methods each; wrappers implement the port they wrap."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tactus_core.errors import ConfigError
from tactus_core.history import StateArrays
from tactus_core.learning.transitions import Transitions
from tactus_core.types import ActionChunk, Array, Outcome, Proposal, RobotDescription, RobotTick, Target, WorldSnapshot, WorldTick


class Encoder(Protocol):
    """Images in, features out."""

    def encode(self, images: Mapping[str, NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Return features (F,) of rgb images by camera, (times, H, W, 3) each."""
        ...


class SlowPolicy(Protocol):
    """Plans a stretch of motion from what was seen and felt."""

    def infer(self, seen: NDArray[Any], states: StateArrays, stamp_s: float, encoded: Array) -> ActionChunk:
        """Return the chunk that answers the observation at `stamp_s`; `states` covers the card's lookback before it. Raises StaleError.

        seen: the features (F,) of the policy's encoder; a policy that encodes by itself takes the image (H, W, 3). encoded: (E,) what
        encoders that stand alone made, as `Encoded.at` joins it.
        """
        ...

    def reset(self, seed: int) -> None:
        """Start an episode; all chance from here on follows from `seed`."""
        ...


class FastPolicy(Protocol):
    """Turns the current chunk and touch into what to do now; holds no state between calls."""

    def act(self, chunk: ActionChunk, states: StateArrays, now_s: float) -> Proposal:
        """Return the proposal at `now_s`, the stamp of the touch sample that it answers.

        `states` may reach beyond [chunk.stamp_s, now_s]; what lies outside is not used.
        Raises StaleError before the chunk's stamp, past its validity, or where touch is missing or too old.
        """
        ...


class World(Protocol):
    """A simulated robot in a simulated task; time advances by `step` alone."""

    def reset(self, seed: int) -> WorldTick:
        """Start the episode that `seed` determines."""
        ...

    def command(self, target: Target | None) -> None:
        """Set the impedance target; it is kept until the next one. None: hold the measured pose."""
        ...

    def step(self) -> WorldTick:
        """Advance by one sensor tick (5 ms)."""
        ...

    def outcome(self) -> Outcome:
        """Return the score of the episode so far."""
        ...


class Camera(Protocol):
    """Draws a world; in a process of its own when time is real, so that drawing cannot stall physics."""

    def render(self, snapshot: WorldSnapshot) -> NDArray[np.uint8]:
        """Return an rgb image (H, W, 3)."""
        ...


@dataclass(frozen=True)
class Advice:
    """What somebody who sees all of a simulated world would do in it.

    T_base_tcp: (4,4) where the tcp should go from here. done: share of the task that is done, 0..1. well: it goes by itself from here.
    alarm: nobody who has seen this would go on watching.
    """

    T_base_tcp: Array
    done: float
    well: bool
    alarm: bool = False


class Expert(Protocol):
    """Sees all of a simulated world, in any state of it, and remembers nothing: for scripted operators, never for policies."""

    def advise(self, snapshot: WorldSnapshot, wrench_tcp: Array) -> Advice:
        """Return what would be right now; wrench_tcp: (6,) what the tool feels, see `RobotState`."""
        ...


@dataclass(frozen=True)
class SimTask:
    """A simulated task, found by entry point `tactus.tasks`. make_world takes `viewer`: open PyBullet's window.

    duration_s: when an episode ends that did not end by itself. cameras: names of what `make_camera` makes; the first is the robot's own.
    make_expert: None where nobody wrote one. shifts: the same task under other circumstances, by name, for policies that are to go on
    learning.
    """

    name: str
    robot: RobotDescription
    duration_s: float
    make_world: Callable[[bool], World]
    make_camera: Callable[[str], Camera]
    make_expert: Callable[[], Expert] | None = None
    shifts: Mapping[str, "SimTask"] = field(default_factory=dict)
    cameras: tuple[str, ...] = ("wrist",)

    def seen_by(self, wanted: Sequence[str]) -> dict[str, str]:
        """Return which of the task's cameras stands for each of a policy's; its only one may have any name. Raises ConfigError."""
        if len(wanted) == 1 and wanted[0] not in self.cameras:
            return {wanted[0]: self.cameras[0]}
        if strangers := [name for name in wanted if name not in self.cameras]:
            raise ConfigError(
                f"task '{self.name}' has no camera {', '.join(strangers)}; it has {', '.join(self.cameras)}. Choose a policy that sees "
                "with those."
            )
        return {name: name for name in wanted}


@dataclass(frozen=True)
class Practised:
    """An episode of a base policy that was corrected, and how the task itself judged it."""

    transitions: Transitions
    outcome: Outcome


class Practice(Protocol):
    """A place to try corrections of a base policy."""

    def episode(self, seed: int, decide: Callable[[Array], Array]) -> Practised:
        """Run the episode of `seed`; `decide` turns what is observed (L+6,) into a correction (6,)."""
        ...


class RobotWorld(Protocol):
    """A simulated robot in an empty space: no task, no policy; time advances by `step` alone.

    What is commanded is kept until the next command, clipped to the joints' limits, and followed no faster than these allow.
    """

    def reset(self) -> RobotTick:
        """Stand at home, at rest."""
        ...

    def move_arm(self, position_rad: Array | None) -> Array:
        """Ask for joint positions (joints,); None: come to rest, and hold. Returns what is asked of the arm now."""
        ...

    def move_hand(self, position_rad: Array | None) -> Array:
        """See `move_arm`."""
        ...

    def step(self) -> RobotTick:
        """Advance by one tick of 2 ms."""
        ...


@dataclass(frozen=True)
class SimRobot:
    """A whole robot that can be simulated, found by entry point `tactus.sims` under the name of its description.

    make_world takes the description, the greatest speed [rad/s] of the arm's servos, and `viewer`: open the simulator's window.
    arm_Hz, hand_Hz, wrench_Hz: how often its devices tell what they measure; none can do so more often than the world ticks.
    """

    make_world: Callable[[RobotDescription, float, bool], RobotWorld]
    arm_Hz: float = 500.0
    hand_Hz: float = 125.0
    wrench_Hz: float = 500.0
