"""What learns from episodes, whatever the method."""

from pathlib import Path
from typing import Any, Protocol

from tactus_core.learning.transitions import Transitions
from tactus_core.policy.card import Card


class Learner(Protocol):
    """Takes episodes one by one; what it has learnt is a bundle at any time."""

    def take(self, episode: Transitions) -> dict[str, float]:
        """Learn from an episode, and return what is worth a log."""
        ...

    def write(self, folder: Path, version: str, explore: bool) -> Card:
        """Write the bundle that it has come to. explore: it tries more than it has learnt; raises ConfigError where it cannot."""
        ...

    def state(self) -> dict[str, Any]:
        """Return what `restore` needs: tensors, numbers and text."""
        ...

    def restore(self, state: dict[str, Any]) -> None:
        """Go back to what `state` returned; raises ConfigError for the state of another learner."""
        ...


def no_other(of: str, got: str, expected: str) -> str:
    """Return what an error says of the state of another learner."""
    return (
        f"{of}: a checkpoint of another learner: got {got}, expected {expected}. Delete it to start anew, or go back to its configuration."
    )
