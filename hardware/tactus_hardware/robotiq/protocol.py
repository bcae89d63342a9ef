"""Registers of the 2F-85, 2F-140 and Hand-E, as they go over both wires, and what their counts mean.

A gripper counts from 0 (open) to 255 (closed); its fingers touch a little before the ends. Here it is one joint, in the unit and sense of
its common URDF (`Model`). Sources: Robotiq's manuals and its `pyrobotiqgripper` for the registers, forces and speeds; PickNik's
ros2_robotiq_gripper for the joint's ends and the counts that stand for them.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tactus_core.types import Array

JOINTS = ("finger_joint",)
ACTION, GOAL, STATUS = 1000, 1001, 2000
STATUS_REGISTERS = 3
ACT, GTO = 0x01, 0x08
ACTIVE = 3
A_PER_COUNT = 0.01
# What is asked for over the URCap's socket; the last has one digit, so that its end is plain even without an end of line.
VARIABLES = ("POS", "PRE", "FLT", "ACT", "GTO", "OBJ", "STA")
_OUTER, _INNER = 1, 2
_COLD_LINE = 9  # nobody spoke to it for a second: it says so until it is spoken to
_FAULTS = {
    5: "it is not activated yet",
    7: "it is not activated",
    8: "too hot; let it cool down",
    10: "its supply is below 24 V",
    11: "it is releasing by itself (emergency auto-release)",
    12: "internal fault; contact Robotiq",
    13: "its activation failed; is something between its fingers?",
    14: "too much current",
    15: "it has released by itself (emergency auto-release)",
}


@dataclass(frozen=True)
class Model:
    """A gripper. position: of the joint, open and closed [rad; Hand-E: m]. counts: likewise. force_N, speed_m_s: at counts 0 and 255."""

    name: str
    position: tuple[float, float]
    counts: tuple[int, int]
    force_N: tuple[float, float]
    speed_m_s: tuple[float, float]

    def limits(self) -> Array:
        """Return the joint's lowest and highest position, (1, 2)."""
        return np.array([sorted(self.position)])

    def joint(self, count: float) -> float:
        """Return where the joint is at a count."""
        return float(np.interp(count, self.counts, self.position))

    def count(self, joint: float) -> int:
        """Return the count that is nearest to a joint position."""
        (start, end), (low, high) = self.position, self.counts
        return round(min(max(low + (joint - start) / (end - start) * (high - low), low), high))


MODELS = {
    "2f85": Model("2F-85", (0.0, 0.7929), (3, 230), (20.0, 235.0), (0.02, 0.15)),
    "2f140": Model("2F-140", (0.0, 0.695), (3, 230), (10.0, 125.0), (0.03, 0.25)),
    "hande": Model("Hand-E", (0.025, 0.0), (0, 255), (20.0, 185.0), (0.02, 0.15)),
}


@dataclass(frozen=True)
class Status:
    """What a gripper says of itself. position, requested: counts. current_A: NaN where the wire does not tell it."""

    activated: bool
    stage: int
    following: bool
    contact: int
    fault: int
    position: int
    requested: int
    current_A: float

    @property
    def ready(self) -> bool:
        """Whether it is activated: only then does it know where its fingers are."""
        return self.activated and self.stage == ACTIVE

    @property
    def gripping(self) -> bool:
        """Whether its fingers were stopped by something before they were where they were sent."""
        return self.following and self.contact in (_OUTER, _INNER)

    @property
    def failed(self) -> bool:
        """Whether nothing but a new activation mends its fault."""
        return self.fault & 0x0F >= 10

    @property
    def trouble(self) -> str:
        """What is wrong with it, in words; empty: nothing."""
        if self.fault in (0, _COLD_LINE):
            return ""
        return _FAULTS.get(self.fault, f"fault 0x{self.fault:02x}; see its manual")


def parse_status(registers: Sequence[int]) -> Status:
    """Return what the status registers say, of which there are at least three."""
    (flags, _), (fault, requested), (position, current) = (divmod(register, 0x100) for register in registers[:STATUS_REGISTERS])
    act, gto = bool(flags & ACT), bool(flags & GTO)
    return Status(act, flags >> 4 & 3, gto, flags >> 6, fault, position, requested, current * A_PER_COUNT)


def of_variables(values: Mapping[str, int]) -> Status:
    """Return the status that the URCap's variables stand for; it tells no current."""
    act, gto = values["ACT"] == 1, values["GTO"] == 1
    return Status(act, values["STA"], gto, values["OBJ"], values["FLT"], values["POS"], values["PRE"], float("nan"))


def parse_answer(text: bytes, names: Sequence[str]) -> dict[str, int] | None:
    """Return the variables of a whole answer, in the order that they were asked for; None: it says something else, or not all of it.

    Lines may or may not end in an end of line (UR's own programs read both), so that only what follows a number shows that it has ended.
    """
    found = re.fullmatch(r"\s*" + r"\s*".join(rf"{name} (\d{{1,3}})" for name in names) + r"\s*", text.decode("ascii", "replace"), re.ASCII)
    values = {name: int(value) for name, value in zip(names, found.groups(), strict=True)} if found else {}
    return values if values and max(values.values()) <= 255 else None


def scaled(value: float, ends: tuple[float, float]) -> int:
    """Return the count 0..255 of a force or a speed between those of counts 0 and 255."""
    return round(np.interp(value, ends, (0, 255)))
