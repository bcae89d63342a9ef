"""Who moves the robot now: the human before the policy before idling, and none whose word is old."""

from collections.abc import Sequence

from tactus_core.guard.types import Reason, Received

PRIORITY = ("human", "policy", "idle")


def arbitrate(
    proposals: Sequence[Received], now_s: float, timeout_s: float, holder: str = ""
) -> tuple[Received | None, str, tuple[Reason, ...]]:
    """Return the fresh proposal of the first source in `PRIORITY` that has one, who has control now, and what is wrong.

    holder: who had control before. A human who falls silent has not handed back: nobody moves the robot until a human says `release`, or
    moves it again. Age is judged on the receiver's clock; what comes from the future is not fresh.
    """
    fresh = [received for received in proposals if 0.0 <= now_s - received.received_s <= timeout_s]
    # Of one source, the newest word counts.
    newest = {received.proposal.source: received for received in sorted(fresh, key=lambda r: r.received_s)}
    reasons = () if set(newest) <= set(PRIORITY) else (Reason.UNKNOWN_SOURCE,)
    human = newest.get("human")
    if human is not None and human.proposal.release:
        holder = ""
    for source in PRIORITY:
        if source in newest and not newest[source].proposal.release and (source == "human" or holder != "human"):
            return newest[source], source, reasons
    if holder == "human":
        return None, holder, (*reasons, Reason.HUMAN_LOST)
    released = any(received.proposal.release for received in newest.values())
    return None, holder, (*reasons, Reason.RELEASED if released else Reason.TIMEOUT)
