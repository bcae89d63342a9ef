"""A replay: a recording through the whole graph with nothing that moves, and the report on it."""

import itertools
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from tactus_cli.options import write_json
from tactus_core.policy.card import Card

_SLACK_S = 60.0
# How long the recording is outlived: the guard's answer to the silence belongs to what is to be seen.
_TAIL_S = 1.0


class Replay:
    """`run` fills the folder with a bag and logs, `report` with what is made of them; `result` is what `report.json` holds."""

    def __init__(self, source: Path, recording: Any, speed: float, folder: Path, console: Console) -> None:
        self.result: dict[str, Any] = {}
        self._source, self._recording, self._info = source, recording, recording.info
        self._speed, self._folder, self._console = speed, folder, console
        self._lateness_ms: dict[str, Any] = {}
        self._played = 0
        self._state = ""

    def run(self, bundle: Path, card: Card, take: int, rate_Hz: float, seed: int) -> None:
        """Play the recording to its end, and record every topic; no process is left. Raises TactusError."""
        from tactus_cli.bringup import launch_file
        from tactus_cli.domain import require_quiet_domain
        from tactus_cli.launching.session import Launched
        from tactus_nodes.client import GraphSession

        require_quiet_domain()
        self._folder.mkdir(parents=True)
        values = {"take": take, "rate_Hz": rate_Hz, "speed": self._speed, "seed": seed, "robot": card.robot, "record": "true"}
        paths = {"source": self._source.resolve(), "bundle": bundle, "folder": (self._folder / "bag").resolve()}
        arguments = {name: str(value) for name, value in (values | paths).items()}
        logs = self._folder / "logs"
        with Launched(launch_file("replay.launch.xml"), arguments, folder=logs) as launched, GraphSession(launched.check) as session:
            with self._console.status("starting the graph ..."):
                session.wait_ready()
            self._follow(session)
            self._lateness_ms = session.timing(["replay_device"])["replay_device"]["timing"]["playout_lateness_ms"]

    def _follow(self, session: Any) -> None:
        from tactus_cli.episodes import progress
        from tactus_nodes import topics

        total = sum(self._info.counts.values())
        with progress(self._console) as bar:
            task = bar.add_task(f"replaying {self._source.name}", total=total)

            def beat(message: Any) -> None:
                if message.node == "replay_device":
                    bar.update(task, completed=message.ticks)

            session.listen(topics.HEARTBEAT.deeper(100), beat)
            session.listen(topics.REPLAY, self._take_state)
            session.wait_for(
                lambda: self._state not in ("", "playing"), self._info.duration_s / self._speed + _SLACK_S, "the recording's end"
            )
            until_s = time.monotonic() + _TAIL_S
            session.wait_for(lambda: time.monotonic() > until_s, 2 * _TAIL_S, "the guard's answer to the silence")
            bar.update(task, completed=self._played)

    def _take_state(self, message: Any) -> None:
        status = message.status[0]
        self._state = status.message
        self._played = int(next(pair.value for pair in status.values if pair.key == "played"))

    def report(self) -> None:
        """Write the figures and `report.json`, and print the table."""
        from tactus_cli.report import replay_force, replay_motion, replay_touch, replayed
        from tactus_nodes import topics

        with self._console.status("reading the bag ..."):
            data = replayed.read_replay(self._folder / "bag", self._info, self._speed)
            recorded = replayed.recorded_proposals(self._source, self._info)
        self.result = {"source": str(self._source), "ended": self._state, **replayed.summarise(data)}
        self.result["policy"]["against_recorded"] = replayed.compare(data[topics.PROPOSAL], recorded)
        self.result["playout_lateness_ms"] = {key: self._lateness_ms[key] for key in ("p50", "p99", "max")}
        files = {"bag": "bag", "logs": "logs", "report": "report.json"}
        name = self._source.name
        with self._console.status("drawing ..."):
            if topics.TOUCH_IMAGE.name in self._info.counts:
                touch = replay_touch.read_touch(data)
                self.result["touch"] = replay_touch.summarise(touch)
                files["touch"] = "touch.png"
                replay_touch.figure(data, touch, self._images(), f"Optical touch · {name}", self._folder / files["touch"])
            if topics.WRENCH_RAW.name in self._info.counts:
                force = replay_force.read_force(data)
                self.result["force"] = replay_force.summarise(force)
                files["force"] = "force.png"
                replay_force.figure(data, force, f"Force · {name} · {self._info.notes[0]}", self._folder / files["force"])
            if topics.JOINT_STATES.name in self._info.counts:
                files["motion"] = "motion.png"
                replay_motion.figure(data, recorded, f"Proposals, dry-run · {name}", self._folder / files["motion"])
        self.result["files"] = files
        write_json(self._folder / files["report"], self.result)
        self._console.print(_table(self.result))
        for what, file in files.items():
            self._console.print(f"  {what:8} {self._folder / file}", highlight=False, soft_wrap=True)

    def _images(self) -> list[np.ndarray]:
        return [sample.value for sample in self._recording.samples() if sample.stream == "optical_touch/image"]


def _table(result: dict[str, Any]) -> Table:
    table = Table(title=f"replay of {result['source']}", show_header=False, title_justify="left", title_style="bold", box=None)
    table.add_column(style="bold")
    table.add_column()
    for name, text in itertools.chain(_played_rows(result), _touch_rows(result), _force_rows(result), _graph_rows(result)):
        table.add_row(name, text)
    return table


def _played_rows(result: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield "recording", f"{result['format']}, {result['duration_s']:.2f} s, speed × {result['speed']:g}; {result['ended']}"
    yield "time base", f"{result['rate_Hz']:g} Hz ({result['rate_source']})"
    for note in result["notes"]:
        yield "", note
    for stream, count in result["streams"].items():
        yield stream, f"{count['played']} played, {count['recorded']} recorded, {count['dropped']} dropped"
    yield "played late by", "p50 {p50:.2f} ms, p99 {p99:.2f} ms, max {max:.2f} ms".format(**result["playout_lateness_ms"])


def _touch_rows(result: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if "touch" in result:
        touch = result["touch"]
        yield "contact", f"onset at frame {_list(touch['onset_frames'])}, release at frame {_list(touch['release_frames'])}"
        yield "", f"largest {touch['peak_area_px']} px at frame {touch['peak_frame']}"
        yield "", f"{touch['frames_judged']} of {touch['frames']} frames judged; the first {touch['reference_frames']} are the reference"


def _force_rows(result: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if "force" not in result:
        return
    force = result["force"]
    yield (
        "bias",
        "never known: the sensor was not still" if force["bias_N"] is None else f"{force['bias_N']} N, known at {force['bias_known_s']} s",
    )
    yield "readings", ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in force["counts"].items())
    for jump in force["jumps"]:
        yield f"  at {jump['t_s']:.3f} s", f"{jump['size_N']:.2f} N for {jump['readings']} reading(s): {jump['done']}"


def _graph_rows(result: dict[str, Any]) -> Iterator[tuple[str, str]]:
    guard, policy = result["guard"], result["policy"]
    yield "guard", _counts(guard["states"])
    yield "  reasons", _counts(guard["reasons"])
    yield "  after the end", ", ".join(guard["after_the_end"]) or "not recorded"
    yield "policy", f"{policy['chunks']} chunks, {policy['proposals']} proposals"
    if result["missing"]:
        yield "", f"the recording lacks {', '.join(result['missing'])}: without them nothing is proposed, and the guard holds"
    elif policy["against_recorded"]["matched"]:
        apart = policy["against_recorded"]
        yield "", "{matched} answer a sample that was answered then; apart p50 {p50} mm, p95 {p95} mm".format(**apart, **apart["apart_mm"])
    yield "moved", "nothing: no device listens to the guard's commands"


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items(), key=lambda item: -item[1])) or "none"


def _list(frames: list[int]) -> str:
    return ", ".join(map(str, frames)) or "none"
