"""A bag as the recorder writes it, but by the independent library's writer, and without ROS: a robot at 100 Hz, its camera at 20 Hz."""

import numpy as np
from mcap_ros2.writer import Writer

_STAMP = "builtin_interfaces/Time stamp\nstring frame_id"
_PARTS = {
    "std_msgs/Header": _STAMP,
    "builtin_interfaces/Time": "int32 sec\nuint32 nanosec",
    "geometry_msgs/Vector3": "float64 x\nfloat64 y\nfloat64 z",
    "geometry_msgs/Point": "float64 x\nfloat64 y\nfloat64 z",
    "geometry_msgs/Quaternion": "float64 x\nfloat64 y\nfloat64 z\nfloat64 w",
    "geometry_msgs/Pose": "geometry_msgs/Point position\ngeometry_msgs/Quaternion orientation",
    "geometry_msgs/Wrench": "geometry_msgs/Vector3 force\ngeometry_msgs/Vector3 torque",
    "sensor_msgs/PointField": "string name\nuint32 offset\nuint8 datatype\nuint32 count",
}
_HEADER = "std_msgs/Header header\n"
TYPES = {
    "/joint_states": ("sensor_msgs/msg/JointState", "string[] name\nfloat64[] position\nfloat64[] velocity\nfloat64[] effort"),
    "/wrench": ("geometry_msgs/msg/WrenchStamped", "geometry_msgs/Wrench wrench"),
    "/tactile": (
        "sensor_msgs/msg/PointCloud2",
        "uint32 height\nuint32 width\nsensor_msgs/PointField[] fields\nbool is_bigendian\nuint32 point_step\nuint32 row_step\n"
        "uint8[] data\nbool is_dense",
    ),
    "/camera/image": (
        "sensor_msgs/msg/Image", "uint32 height\nuint32 width\nstring encoding\nuint8 is_bigendian\nuint32 step\nuint8[] data",
    ),
    "/proposal": (
        "tactus_msgs/msg/Proposal",
        "string source\nbool release\ngeometry_msgs/Pose tcp_target\nfloat64[] arm_target_rad\nfloat64[] hand_target_rad\n"
        "uint64 chunk_sequence\nstring bundle\nstring bundle_hash",
    ),
    "/verdict": (
        "tactus_msgs/msg/Verdict",
        "float64 steady_s\nstring state\nstring source\nstring[] reasons\ngeometry_msgs/Pose proposed\ngeometry_msgs/Pose executed\n"
        "float64[] arm_executed_rad\nfloat64[] hand_executed_rad\nuint64 tick\nbool intervention\nbool onset\nbool offset\n"
        "builtin_interfaces/Time intervened\nuint64 chunk_sequence\nstring bundle\nstring bundle_hash\nfloat32 proposal_age_s\n"
        "float32 joints_age_s\nfloat32 wrench_age_s\nfloat32 touch_age_s",
    ),
    "/chunk": (
        "tactus_msgs/msg/ActionChunk",
        "string kind\nfloat32 dt_s\nuint32 start_index\nuint32 steps\nfloat32[] data\nfloat64[7] anchor\nstring[] groups\n"
        "float32[] group_latency_s\nstring bundle\nstring bundle_hash\nuint64 sequence",
    ),
    "/episode/mark": ("tactus_msgs/msg/EpisodeMark", "string kind\nstring text"),
}  # fmt: skip
START_NS = 1_700_000_000_123_456_789
STEP_NS = 10_000_000
SIZE = (64, 96)
JOINTS = ["a", "b", "c"]
HUMAN_STEPS = range(100, 102)  # shorter than a row of 30 Hz: its edges must not get lost


def definition(text):
    separator = "\n" + "=" * 80 + "\n"
    return separator.join([_HEADER + text, *(f"MSG: {name}\n{part}" for name, part in _PARTS.items())])


def pose(values):
    x, y, z, qx, qy, qz, qw = values
    return {"position": {"x": x, "y": y, "z": z}, "orientation": {"x": qx, "y": qy, "z": qz, "w": qw}}


def header(time_ns):
    return {"stamp": {"sec": time_ns // 10**9, "nanosec": time_ns % 10**9}, "frame_id": "tcp"}


class WrittenBag:
    """Writes `steps` steps of 10 ms. told: what was written by topic: (time, values). without: topics left out. marks: (step, kind).

    lost: messages that the recorder dropped, by topic; after step 50 as many of the guard's ticks are missing.
    """

    def __init__(self, folder, steps=150, without=(), skip=range(0), seed=0, late_ns=1_000_000, marks=(), lost=None):
        folder.mkdir()
        self.rng = np.random.default_rng(seed)
        self.told = {}
        self.without, self.late_ns, self.lost = without, late_ns, lost or {}
        with (folder / "bag_0.mcap").open("wb") as file:
            self.writer = Writer(file)
            self.schemas = {topic: self.writer.register_msgdef(name, definition(text)) for topic, (name, text) in TYPES.items()}
            for step in range(steps):
                self.step(step, START_NS + step * STEP_NS, step in skip)
                for kind in (kind for at, kind in marks if at == step):
                    self.put("/episode/mark", START_NS + step * STEP_NS, kind, kind=kind, text="")
            if self.lost:
                self.writer._writer.add_metadata("tactus.dropped", {topic: str(count) for topic, count in self.lost.items()})
            self.writer.finish()

    def put(self, topic, time_ns, values, **fields):
        if topic not in self.without:
            self.writer.write_message(topic, self.schemas[topic], {"header": header(time_ns), **fields}, time_ns + self.late_ns)
            self.told.setdefault(topic, []).append((time_ns, values))

    def step(self, step, time_ns, silent):
        q, wrench = self.rng.normal(size=3), self.rng.normal(size=6)
        taxels = self.rng.normal(size=(2, 5, 6)).astype("<f4")
        if not silent:
            self.put("/joint_states", time_ns, q, name=JOINTS, position=list(q), velocity=list(-q), effort=[])
        force, torque = (dict(zip("xyz", part, strict=True)) for part in (wrench[:3], wrench[3:]))
        self.put("/wrench", time_ns, wrench, wrench={"force": force, "torque": torque})
        fields = [{"name": n, "offset": 4 * i, "datatype": 7, "count": 1} for i, n in enumerate(("x", "y", "z", "fx", "fy", "fz"))]
        cloud = {"height": 2, "width": 5, "fields": fields, "is_bigendian": False, "point_step": 24, "row_step": 120, "is_dense": True}
        self.put("/tactile", time_ns, taxels, data=taxels.tobytes(), **cloud)
        if step % 5 == 0:
            height, width = SIZE
            picture = np.full((height, width, 3), 40 + step, np.uint8)
            picture[:, : width // 2, 0] = 200
            image = {"height": height, "width": width, "encoding": "rgb8", "is_bigendian": 0, "step": 3 * width}
            self.put("/camera/image", time_ns, picture, data=picture.tobytes(), **image)
        self.decide(step, time_ns)

    def decide(self, step, time_ns):
        human = step in HUMAN_STEPS
        target, hand = self.rng.normal(size=7), self.rng.normal(size=2)
        source = "human" if human else "policy"
        if step >= 20:  # before, nobody wants anything, and the hand is left as it is
            self.put(
                "/proposal", time_ns, np.concatenate([target, hand]), source=source, release=False, tcp_target=pose(target),
                arm_target_rad=[], hand_target_rad=list(hand), chunk_sequence=1, bundle="" if human else "wipe@1",
                bundle_hash="" if human else "ab12",
            )  # fmt: skip
        sent = hand if step >= 20 else []
        tick = step + 1 + (sum(self.lost.values()) if step > 50 else 0)
        reasons = ["speed", "workspace"] if step % 7 == 0 else []
        self.put(
            "/verdict", time_ns, (np.concatenate([target, sent]) if step >= 20 else None, ",".join(reasons), source), steady_s=1.0,
            state="running", source=source, reasons=reasons, proposed=pose(target), executed=pose(target), arm_executed_rad=[],
            hand_executed_rad=list(sent), tick=tick, intervention=human, onset=step == HUMAN_STEPS[0],
            offset=step == HUMAN_STEPS[-1] + 1,
            intervened={"sec": 0, "nanosec": 0}, chunk_sequence=0 if human else 1, bundle="" if human else "wipe@1",
            bundle_hash="" if human else "ab12", proposal_age_s=0.0, joints_age_s=0.25, wrench_age_s=0.5, touch_age_s=1.0,
        )  # fmt: skip
