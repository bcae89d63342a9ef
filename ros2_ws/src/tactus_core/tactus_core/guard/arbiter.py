"""Who moves the robot now: the human before the policy before idling, and none whose word is old."""

from collections.abc import Sequence

from tactus_core.guard.types import Reason, Received

PRIORITY = ("human", "policy", "idle")


def arbitrate(proposals: Sequence[Received], now_s: float, timeout_s: float) -> tuple[Received | None, tuple[Reason, ...]]:
    """Return the fresh proposal of the first source in `PRIORITY` that has one, and what is wrong with the others.

    Age is judged on the receiver's clock; one from the future is not fresh.
    """
    known = [received for received in proposals if received.proposal.source in PRIORITY]
    fresh = [received for received in known if 0.0 <= now_s - received.received_s <= timeout_s]
    reasons = () if len(known) == len(proposals) else (Reason.UNKNOWN_SOURCE,)
    if not fresh:
        return None, (*reasons, Reason.TIMEOUT)
    # Of one source, the newest.
    return min(fresh, key=lambda r: (PRIORITY.index(r.proposal.source), -r.received_s)), reasons
