"""A demonstration of the whole graph: episodes that are recorded, and the report on them."""

import contextlib
import time
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console

from tactus_cli.episodes import progress, simulated_graph, watched
from tactus_cli.options import write_json
from tactus_cli.report.results import episodes_table, summarise, summary_table
from tactus_core.errors import DeviceError
from tactus_core.types import Outcome

if TYPE_CHECKING:
    from tactus_cli.report.wiping import Episode
    from tactus_nodes.client import GraphSession

_LATENCY_S = 5.0


class Demo:
    """`run` fills the folder with a bag and logs, `report` with what is made of them.

    summary: the keys of `evaluate`, `latency` (as `bench latency` has it; None where it was not measured) and `files` (name → path in the
    folder); empty where no episode ended. interrupted: Ctrl-C came during the episodes.
    """

    def __init__(self, folder: Path, task: str, name: str, bundle: Path, seeds: range, console: Console) -> None:
        self.folder, self.console = folder, console
        self.summary: dict[str, Any] = {}
        self.interrupted = False
        self._task, self._name, self._bundle, self._seeds = task, name, bundle, seeds
        self._outcomes: list[Outcome] = []
        self._latency: dict[str, Any] | None = None

    def run(self, arguments: Mapping[str, str]) -> None:
        """Run and record the episodes, then measure the latency; no process is left. arguments: of the launch file."""
        self.console.print(f"Results will be in [bold]{self.folder}[/]")
        self.folder.mkdir(parents=True)
        # The graph starts with a seed that is not shown: what the robot does before an episode begins is not part of it.
        idle = self._seeds.stop
        values = {**arguments, "seed": str(idle), "record": "true", "folder": str((self.folder / "bag").resolve())}
        try:
            with contextlib.ExitStack() as stack:
                with self.console.status("starting the graph ..."):
                    session = stack.enter_context(simulated_graph(self._task, self._bundle, values, self.folder / "logs"))
                began_s = time.monotonic()
                watched(self._episodes(session), len(self._seeds), f"{self._task} · {self._name}", self.console)
                with self.console.status("measuring touch → command ..."):
                    self._measure(session, idle)
        except KeyboardInterrupt:
            self.interrupted = True
        if self._outcomes:
            self.summary = summarise(self._task, self._name, self._outcomes, self._ended_s - began_s)
            self.summary |= {"latency": self._latency, "files": {"bag": "bag", "logs": "logs"}}

    def _episodes(self, session: "GraphSession") -> Generator[Outcome, None, None]:
        for seed in self._seeds:
            self._outcomes.append(session.run_episode(seed))
            self._ended_s = time.monotonic()
            yield self._outcomes[-1]

    def _measure(self, session: "GraphSession", seed: int) -> None:
        from tactus_cli.latency import measure_session

        try:
            self._latency = measure_session(session, seed, _LATENCY_S)
        except DeviceError as error:  # the episodes are worth a report all the same
            self.console.print(f"[yellow]touch → command was not measured:[/] {error}", highlight=False)

    def report(self) -> None:
        """Write plots, video and `summary.json`, and print the table."""
        if not self.summary:
            click.echo(f"interrupted before an episode had ended; what was recorded is in {self.folder}")
            return
        self._write_summary()
        self.console.print(episodes_table(self._task, self._outcomes))
        self.console.print(summary_table(self.summary, "through the node graph"))
        self._print_latency()
        if not self.interrupted:
            self._draw()
            self._write_summary()
        width = max(map(len, self.summary["files"]))
        for name, path in self.summary["files"].items():
            self.console.print(f"  {name:{width}}  {self.folder / path}", highlight=False, soft_wrap=True)

    def _write_summary(self) -> None:
        self.summary["files"]["summary"] = "summary.json"
        write_json(self.folder / "summary.json", self.summary)

    def _print_latency(self) -> None:
        if self._latency is None:
            return
        quantiles = self._latency["touch_to_command_ms"]
        kind = f"{'real-time' if self._latency['realtime_scheduling'] else 'ordinary'} scheduling"
        self.console.print(
            f"touch → command  p50 {quantiles['p50']:.2f} ms, p99 {quantiles['p99']:.2f} ms, max {quantiles['max']:.2f} ms "
            f"({self._latency['lost_ticks']} of {self._latency['ticks']} ticks lost; {kind})\n",
            highlight=False,
        )

    def _draw(self) -> None:
        from tactus_cli.report import plots, wiping

        with self.console.status("reading the recording ..."):
            episodes = wiping.read_episodes(self.folder / "bag", self._seeds)
        for episode in episodes:
            name = f"force-{episode.seed}"
            plots.force_figure(episode, self._name, self._file(name, f"{name}.png"))
        if self._latency is not None:
            plots.latency_figure(self._latency, self._file("latency", "latency.png"))
        self._film(episodes)

    def _film(self, episodes: "Sequence[Episode]") -> None:
        from tactus_cli.report import video

        pictures = video.frames(episodes, self._name, video.overview_camera())
        with progress(self.console) as bar:
            path = self.folder / "episodes.mp4"
            video.encode(path, bar.track(pictures, total=video.frame_count(episodes), description="drawing the video"))
        self._file("video", path.name)

    def _file(self, name: str, file: str) -> Path:
        self.summary["files"][name] = file
        return self.folder / file
