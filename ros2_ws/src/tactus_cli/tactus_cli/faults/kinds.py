"""What can go wrong, and what has to happen then. Bounds are those of `tactus_cli.faults.bounds`."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from tactus_cli.faults import injections
from tactus_cli.faults.bounds import Bounds
from tactus_cli.faults.injections import Injection
from tactus_core.errors import ConfigError

BY_ITSELF, RESET, RELAUNCH = "by itself", "reset", "relaunch"

# Watched for this much longer than the bound, so that a resumption would be seen.
_LONGER_S = 0.4


class Answer(StrEnum):
    """What has to become of motion.

    rest: no good data are left to go on with. go on: nothing that motion needs is touched. either: both are safe, if no limit is broken.
    """

    REST = "rest"
    EITHER = "either"
    GO_ON = "go on"


# The device's clock makes the stamps of everything: a plan from before its step does not fit what is sensed after it.
_CLOCKS = {"sim_device": Answer.EITHER, "guard": Answer.GO_ON, "fast_policy": Answer.GO_ON, "slow_policy": Answer.GO_ON}


@dataclass(frozen=True)
class Kind:
    """One kind of fault. bound_s: from the fault to a safe command, where motion has to end. watch_s: how long the fault lasts.

    recovery: how motion comes back once the fault is lifted, recover_s: in what time; after_s: and then has to last for.
    arguments: of the launch file. complaint: who has to report trouble while it lasts, and none once it is lifted.
    """

    name: str
    doc: str
    inject: Injection
    bound_s: float
    watch_s: float
    answer: Answer = Answer.REST
    recovery: str = BY_ITSELF
    recover_s: float = 6.0
    after_s: float = 0.3
    arguments: Mapping[str, str] = field(default_factory=dict)
    complaint: str = ""


def kinds(critical: Collection[str], bounds: Bounds) -> list[Kind]:
    """Return every kind. critical: nodes whose loss the supervisor answers with a latched stop. bounds: of the launch file."""
    return [
        Kind("nothing", "no fault: the same watch over a sound graph", injections.nothing(), 0.0, 0.8, Answer.GO_ON),
        *_streams(bounds),
        *_plans(bounds),
        *_processes(critical, bounds),
        *_rest(bounds),
    ]


def find(names: Collection[str], critical: Collection[str], bounds: Bounds) -> list[Kind]:
    """Return the kinds `names`, all where there are none; raises ConfigError for one that is not known."""
    known = {kind.name: kind for kind in kinds(critical, bounds)}
    if unknown := sorted(set(names) - set(known)):
        raise ConfigError(f"no fault {', '.join(unknown)}; there are: {', '.join(known)}. See ./tactus faults --list.")
    return [known[name] for name in dict.fromkeys(names)] if names else list(known.values())


def _data(name: str, doc: str, alteration: str, *topics: str, bound_s: float, answer: Answer = Answer.REST) -> Kind:
    inject = injections.altered(*((topic, alteration) for topic in topics))
    return Kind(name, doc, inject, bound_s, bound_s + _LONGER_S, answer)


def _streams(bounds: Bounds) -> list[Kind]:
    sensed, proposed, seen = bounds.sensed, bounds.proposed, bounds.seen
    either, go_on = Answer.EITHER, Answer.GO_ON

    def same(topic: str) -> Answer:
        return Answer.REST if topic in bounds.frozen else either

    return [
        _data("silent_joint_states", "joint states do not arrive", "silent", "joint_states", bound_s=sensed),
        _data("silent_wrench", "the wrench does not arrive", "silent", "wrench", bound_s=sensed),
        _data("silent_tactile", "touch does not arrive", "silent", "tactile", bound_s=sensed),
        _data("silent_camera", "images do not arrive", "silent", "camera/image", bound_s=seen),
        _data("silent_proposals", "proposals do not arrive", "silent", "proposal", bound_s=proposed),
        _data("frozen_joint_states", "the same joints, new stamps", "frozen", "joint_states", bound_s=sensed, answer=same("joint_states")),
        _data("frozen_wrench", "the same wrench, new stamps", "frozen", "wrench", bound_s=sensed, answer=same("wrench")),
        _data("frozen_tactile", "the same touch, new stamps", "frozen", "tactile", bound_s=sensed, answer=same("tactile")),
        _data("frozen_camera", "the same image, new stamps", "frozen", "camera/image", bound_s=seen, answer=same("camera/image")),
        _data("nan_joint_states", "NaN or infinity in a joint position", "not_finite", "joint_states", bound_s=sensed),
        _data("nan_wrench", "NaN or infinity in the wrench", "not_finite", "wrench", bound_s=sensed),
        _data("nan_tactile", "NaN or infinity in a taxel's force", "not_finite", "tactile", bound_s=sensed),
        _data("nan_features", "NaN or infinity in a feature", "not_finite", "features", bound_s=seen),
        _data("nan_proposals", "NaN or infinity in a proposal", "not_finite", "proposal", bound_s=proposed),
        _data("malformed_images", "images whose size or encoding is wrong", "malformed", "camera/image", bound_s=seen),
        _data("wrong_joint_names", "a joint that the robot does not have", "wrong_names", "joint_states", bound_s=sensed),
        _data("bursts_joint_states", "joint states in bursts, 0.2 s late", "held_back", "joint_states", bound_s=sensed, answer=either),
        _data("bursts_proposals", "proposals in bursts, 0.2 s late", "held_back", "proposal", bound_s=proposed, answer=either),
        _data("duplicated_sensors", "every sample twice", "duplicated", "joint_states", "wrench", "tactile", bound_s=sensed, answer=go_on),
        _data(
            "stamps_off_by_an_hour", "sensors' stamps ±1 h", "of_another_hour", "joint_states", "wrench", "tactile",
            bound_s=sensed, answer=either,
        ),
        _data("garbage_proposals", "a second publisher of random proposals", "garbage", "proposal", bound_s=proposed, answer=either),
        _data("garbage_joint_states", "a second publisher of random joints", "garbage", "joint_states", bound_s=sensed, answer=either),
        _data("garbage_wrench", "a second publisher of random wrenches", "garbage", "wrench", bound_s=sensed, answer=either),
    ]  # fmt: skip


def _plans(bounds: Bounds) -> list[Kind]:
    planned = bounds.planned
    return [
        _data("silent_chunks", "chunks do not arrive", "silent", "chunk", bound_s=planned),
        _data("nan_chunks", "NaN or infinity in a chunk", "not_finite", "chunk", bound_s=planned),
        _data("chunks_of_another_hour", "chunks from ±1 h", "of_another_hour", "chunk", bound_s=planned),
        _data("swapped_chunks", "chunks in the wrong order", "swapped", "chunk", bound_s=planned, answer=Answer.EITHER),
        _data("duplicated_chunks", "every chunk twice", "duplicated", "chunk", bound_s=planned, answer=Answer.GO_ON),
        _data("garbage_chunks", "a second publisher of random chunks", "garbage", "chunk", bound_s=planned, answer=Answer.EITHER),
    ]


def _processes(critical: Collection[str], bounds: Bounds) -> list[Kind]:
    soon_s = {
        "sim_device": bounds.cut,
        "guard": bounds.cut,
        "fast_policy": bounds.proposed,
        "slow_policy": bounds.planned,
        "perception": bounds.seen,
        "sim_camera": bounds.seen,
    }
    found = []
    for label, bound_s in soon_s.items():
        latched = {"recovery": RESET, "recover_s": 30.0} if label in critical else {"recover_s": 30.0}
        watch_s = max(bound_s, bounds.unheard) + _LONGER_S
        found += [
            Kind(f"kill_{label}", f"kill -9 {label}", injections.killed(label), bound_s, watch_s, **latched),
            Kind(f"stop_{label}", f"SIGSTOP {label}", injections.frozen(label), bound_s, watch_s, **latched),
        ]
    unheard = {"bound_s": bounds.unheard, "watch_s": bounds.unheard + _LONGER_S}
    recorded = {"bound_s": 0.0, "watch_s": 1.0, "answer": Answer.GO_ON, "arguments": {"record": "true"}}
    return [
        *found,
        Kind("kill_supervisor", "kill -9 supervisor", injections.killed("supervisor"), recovery=RELAUNCH, recover_s=20.0, **unheard),
        Kind("stop_supervisor", "SIGSTOP supervisor", injections.frozen("supervisor"), recovery=RESET, recover_s=20.0, **unheard),
        Kind("kill_recorder", "kill -9 recorder", injections.killed("recorder"), **recorded),
        Kind("stop_recorder", "SIGSTOP recorder", injections.frozen("recorder"), **recorded),
        Kind(
            "full_disk", "the recorder cannot write any more", injections.disk_full("recorder"),
            **{**recorded, "watch_s": 4.0, "complaint": "recorder"},
        ),
    ]  # fmt: skip


def _rest(bounds: Bounds) -> list[Kind]:
    return [
        *_clocks(bounds),
        Kind("stall_slow_policy", "inference stalls for 300 ms", injections.frozen("slow_policy"), 0.0, 0.3, Answer.GO_ON),
        Kind("stall_fast_policy", "the fast policy stalls for 300 ms", injections.frozen("fast_policy"), bounds.proposed, 0.3),
        Kind("busy_neighbours", "four processes that spin, for 2 s", injections.starved(4), 0.0, 2.0, answer=Answer.EITHER),
        Kind("estop_topic", "e-stop pressed, by topic", injections.pressed("topic"), bounds.cut, 0.6, recovery=RESET),
        Kind("estop_service", "e-stop pressed, by service", injections.pressed("service"), bounds.cut, 0.6, recovery=RESET),
        Kind("teleop_cable", "teleop cable pulled", injections.cable_pulled(), bounds.proposed, 0.8),
    ]


def _clocks(bounds: Bounds) -> list[Kind]:
    found = []
    for label, answer in _CLOCKS.items():
        # What makes stamps and plans by them is watched until the last plan from before the step is played out.
        watch_s = bounds.seen if label in ("sim_device", "slow_policy") else 0.6
        inject = injections.clock_step(label)
        found.append(Kind(f"clock_step_{label}", f"wall clock of {label} ±1 h", inject, 0.0, watch_s, answer, after_s=watch_s))
    return found
