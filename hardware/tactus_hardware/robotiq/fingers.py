"""The emulated gripper behind both wires: its variables, its rules, and where its fingers are."""

from collections.abc import Mapping

_COUNTS_S = (230.0, 1700.0)  # at speed 0 and 255
_ACTIVATION_COUNTS_S = 1000.0
_OPEN, _CLOSED = 3.0, 230.0
_NOTHING = 256.0
_JAMMED, _NOT_ACTIVATED = 13, 7
_MOVING, _INNER, _THERE = 0, 2, 3


class Fingers:
    """Variables have the names that the URCap gives them."""

    def __init__(self, position: float = _OPEN, active: bool = True) -> None:
        self.position = position
        self.object = _NOTHING
        self.jammed = False
        self.activations = 0
        self.PRE = round(position)
        self.ACT, self.GTO, self.SPE, self.FOR = int(active), int(active), 0, 0
        self.STA, self.OBJ, self.FLT = 3 * int(active), _THERE, 0
        self._way: list[float] = []

    def variables(self) -> dict[str, int]:
        """Return what it says of itself."""
        moving = self.OBJ == _MOVING and bool(self.GTO)
        current = 12 if moving else 4 if self.OBJ == _INNER else 0
        return {
            **{name: getattr(self, name) for name in ("PRE", "ACT", "GTO", "SPE", "FOR", "STA", "OBJ", "FLT")},
            "POS": round(self.position),
            "COU": current,
        }

    def obey(self, changes: Mapping[str, int]) -> None:
        """Take in what was written; a variable that it does not know changes nothing."""
        self.PRE = changes.get("POS", self.PRE)
        self.SPE, self.FOR = changes.get("SPE", self.SPE), changes.get("FOR", self.FOR)
        act = changes.get("ACT", self.ACT)
        if not act:
            self.STA, self.FLT, self._way = 0, 0, []
        elif not self.ACT:
            self.STA, self.activations, self._way = 1, self.activations + 1, [_CLOSED, _OPEN]
        self.ACT, self.GTO = act, changes.get("GTO", self.GTO) if act else 0

    def fail(self, fault: int) -> None:
        """Stop where it is, with a fault that only an activation clears."""
        self.FLT, self._way = fault, []

    def advance(self, dt_s: float) -> None:
        """Move for `dt_s`."""
        if self.STA == 1:
            self._activate(_ACTIVATION_COUNTS_S * dt_s)
        elif self.STA == 3 and self.GTO and not self.FLT:
            low, high = _COUNTS_S
            self._follow((low + (high - low) * self.SPE / 255) * dt_s)

    def _activate(self, step: float) -> None:
        if self.jammed:
            return self.fail(_JAMMED)
        if self._way and self._move(self._way[0], step):
            self._way.pop(0)
        if not self._way and not self.FLT:
            self.STA, self.PRE = 3, round(self.position)
        return None

    def _follow(self, step: float) -> None:
        goal = min(max(float(self.PRE), _OPEN), _CLOSED)
        if goal > self.object > self.position - 1e-6:
            self.OBJ = _INNER if self._move(self.object, step) else _MOVING
        else:
            self.OBJ = _THERE if self._move(goal, step) else _MOVING

    def _move(self, target: float, step: float) -> bool:
        """Go towards a target; return whether it is reached."""
        self.position += max(-step, min(target - self.position, step))
        return self.position == target
