"""What the sources of proposals said last."""

from builtin_interfaces.msg import Time

from tactus_core.guard.arbiter import PRIORITY
from tactus_core.guard.types import Received
from tactus_msgs.msg import Proposal
from tactus_nodes import convert_tactus


class Proposals:
    """Keeps the newest word of each source. due: whether one has come that may change what is executed."""

    def __init__(self) -> None:
        self._words: dict[str, tuple[Received, Time]] = {}
        self.due = False

    def take(self, message: Proposal, now_s: float, chosen: str) -> float:
        """Keep a proposal that came at `now_s` on the steady clock, and return its stamp [s]; raises DataError for what is none.

        chosen: the source that moves the robot, "" where none does. While a human has control, what the policy says changes nothing: it is
        judged with the human's next word, or when the guard steps by its own clock.
        """
        received = Received(convert_tactus.proposal(message), now_s)
        source = received.proposal.source
        # Strangers share one place, or whoever invents names would fill the memory; and none of them has anything done.
        known = source in PRIORITY
        self._words[source if known else ""] = received, message.header.stamp
        self.due |= known and (not chosen or PRIORITY.index(source) <= PRIORITY.index(chosen))
        return received.proposal.stamp_s

    def all(self) -> list[Received]:
        """Return the newest of each source; nothing is due any more."""
        self.due = False
        return [received for received, _ in self._words.values()]

    def stamp(self, source: str) -> Time:
        """Return the stamp of that source's newest word."""
        return self._words[source][1]
