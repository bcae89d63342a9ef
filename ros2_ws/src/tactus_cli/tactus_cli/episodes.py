"""Runs the episodes of a policy, in lockstep or through the node graph, with a progress bar."""

import contextlib
import multiprocessing
import signal
from collections.abc import Generator, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from tactus_cli.quiet import quiet
from tactus_core.engines.port import EngineConfig
from tactus_core.errors import BundleError, DeviceError
from tactus_core.perception.beside import observed_folders
from tactus_core.policy.bundle import Bundle, find_bundle
from tactus_core.policy.card import Card
from tactus_core.policy.fast import make_fast_policy
from tactus_core.policy.slow import DiffusionPolicy
from tactus_core.types import Outcome

if TYPE_CHECKING:
    from tactus_nodes.client import GraphSession
    from tactus_sim.lockstep import Lockstep


def open_bundle(
    name: str, task: str | None, engine: EngineConfig | None = None, encoders: Sequence[Path] = (), **chosen: Any
) -> tuple[Path, Card]:
    """Return folder and card of a bundle that can be run in `task` (None: its own) on `engine`, once all of it has been checked.

    encoders: folders of those that it observes and that stand alone. chosen: how it is to make its chunks; see `DiffusionPolicy`. Raises a
    TactusError.
    """
    from tactus_nodes.plugins import find_task

    asked = find_task(task) if task else None
    folder = find_bundle(name).resolve()
    bundle = Bundle.load(folder, engine)
    robot = (asked or find_task(bundle.card.task)).robot
    if task and bundle.card.task != task:
        raise BundleError(f"bundle '{bundle.card.id}' is for task '{bundle.card.task}', not for '{task}'. Choose a bundle of that task.")
    make_fast_policy(bundle, robot)
    DiffusionPolicy(bundle, **chosen)
    observed_folders(bundle.card, encoders)
    return folder, bundle.card


def in_lockstep(
    task: str, bundle: Path, seeds: Sequence[int], workers: int, engine: EngineConfig, shift: str = "", **chosen: Any
) -> Generator[Outcome, None, None]:
    """Yield the outcome of each episode in order, run without ROS by worker processes; none of them outlives the iteration.

    shift: of the task; see `SimTask`. chosen: see `Lockstep`.
    """
    start = (task, shift, bundle, engine, chosen)
    pool = ProcessPoolExecutor(min(workers, len(seeds)), multiprocessing.get_context("spawn"), _start_worker, start)
    try:
        yield from pool.map(_run_episode, seeds)
        pool.shutdown()
    except BrokenProcessPool:
        raise DeviceError("a worker process of the evaluation died: expected outcomes. Out of memory? Try --workers 1.") from None
    finally:
        # An interrupted pool would first finish what its workers have begun.
        for worker in multiprocessing.active_children():
            worker.terminate()
        pool.shutdown(cancel_futures=True)


_lockstep: "Lockstep"  # one per worker process: loading world and policy takes seconds


def _start_worker(task: str, shift: str, bundle: Path, engine: EngineConfig, chosen: dict[str, Any]) -> None:
    global _lockstep
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches every process of the terminal; the parent ends this one
    with quiet():
        from tactus_nodes.plugins import find_task
        from tactus_sim.lockstep import Lockstep

        _lockstep = Lockstep(find_task(task, shift), Bundle.load(bundle, engine), **chosen)


def _run_episode(seed: int) -> Outcome:
    return _lockstep.run(seed)


@contextlib.contextmanager
def simulated_graph(task: str, bundle: Path, arguments: Mapping[str, str], logs: Path | None = None) -> Iterator["GraphSession"]:
    """Start launch/sim.launch.xml, and give a session with it once every node is active; on leaving, no process is left.

    arguments: further launch arguments. Raises SetupError where the ROS domain is busy, DeviceError where a node does not come up.
    """
    from tactus_cli.bringup import launch_file
    from tactus_cli.domain import require_quiet_domain
    from tactus_cli.launching.session import Launched
    from tactus_nodes.client import GraphSession
    from tactus_nodes.plugins import find_task

    require_quiet_domain()
    values = {"task": task, "robot": find_task(task).robot.name, "bundle": str(bundle), "run": "false", **arguments}
    with Launched(launch_file("sim.launch.xml"), values, folder=logs) as launched, GraphSession(launched.check) as session:
        session.wait_ready()
        yield session


def in_graph(task: str, bundle: Path, seeds: range, realtime: bool, engine: EngineConfig, **chosen: str) -> Generator[Outcome, None, None]:
    """Yield the outcome of each episode in order, run through the node graph in real time; no process outlives the iteration.

    chosen: further launch arguments.
    """
    arguments = {"realtime": str(realtime).lower(), "backend": engine.backend, "precision": engine.precision, **chosen}
    with simulated_graph(task, bundle, arguments) as session:
        for seed in seeds:
            yield session.run_episode(seed)


def watched(outcomes: Generator[Outcome, None, None], total: int, title: str, console: Console) -> list[Outcome]:
    """Return all outcomes, with a progress bar that tells the success rate so far."""
    done: list[Outcome] = []
    # Closed here, not when it is collected: it holds processes.
    with contextlib.closing(outcomes), progress(console, TextColumn("{task.fields[note]}")) as bar:
        task = bar.add_task(title, total=total, note="")
        for outcome in outcomes:
            done.append(outcome)
            successes = sum(o.success for o in done)
            bar.update(task, advance=1, note=f"success {successes}/{len(done)}")
    return done


def progress(console: Console, *more: Any) -> Progress:
    """Return the progress bar that all commands share; `more`: columns at its end."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, TextColumn("left"), TimeRemainingColumn(), *more, console=console)
