"""The ports: what a part has to offer to be plugged in. At most four methods each; wrappers implement the port they wrap."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tactus_core.types import ActionChunk, Proposal, RobotState


class Encoder(Protocol):
    """An image in, features out."""

    def encode(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return features (F,) of an rgb image (H, W, 3)."""
        ...


class SlowPolicy(Protocol):
    """Plans a stretch of motion from what was seen and felt."""

    def infer(self, features: NDArray[np.float32], history: Sequence[RobotState], stamp_s: float) -> ActionChunk:
        """Return the chunk that answers the observation at `stamp_s`; `history` covers the card's lookback before it. Raises StaleData."""
        ...


class FastPolicy(Protocol):
    """Turns the current chunk and touch into what to do now; holds no state between calls."""

    def act(self, chunk: ActionChunk, window: Sequence[RobotState], now_s: float) -> Proposal:
        """Return the proposal at `now_s` from the states since `chunk.stamp_s`, oldest first. Raises StaleData past the chunk's validity."""
        ...
