"""Progress below the lines of a run on a terminal, drawn in Snakemake's own process by a thread that only looks."""

from __future__ import annotations

import logging
import os
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

from sociolect.slurm.runs import SHOWN, WATCHED
from sociolect.status.footer import Footer
from sociolect.status.gpus import Gpu, machine_gpus
from sociolect.status.in_progress import InProgress

EVERY_S, EVERY_ON_CLUSTER_S, GPUS_EVERY = 1.0, 5.0, 15


def stream_handler(logger: logging.Logger) -> logging.StreamHandler[Any] | None:
    """The handler by which Snakemake writes to the terminal; None where a plugin does."""
    return next(
        (
            handler
            for handler in logger.handlers
            if isinstance(handler, logging.StreamHandler) and handler.name == "DefaultStreamHandler"
        ),
        None,
    )


def begin_live(workflow: Any, logger: logging.Logger, estimate: Path, record: Path | None) -> Live | None:
    """Show progress from now on, if Snakemake writes to a terminal, in color, and is not asked to be quiet about it.

    Args:
        workflow: Snakemake's.
        logger: Snakemake's.
        estimate: of the run; it need not be there.
        record: of a run on the cluster.
    """
    handler = stream_handler(logger)
    quiet = {str(word).rpartition(".")[2].lower() for word in workflow.output_settings.quiet or ()}
    if handler is None or quiet & {"all", "progress"} or getattr(handler, "nocolor", True):
        return None
    try:
        return Live(InProgress(workflow, estimate, record is not None), handler, record)
    except Exception as error:  # whatever it is: the run is worth more than its display
        logger.warning(f"no progress here (make status): {type(error).__name__}: {error}")
        return None


class Live:
    """The footer of a run, drawn again and again until `end`; Snakemake's lines go above it.

    Whatever goes wrong here ends the footer, not the run.
    """

    def __init__(self, progress: InProgress, handler: logging.StreamHandler[Any], record: Path | None) -> None:
        self.progress, self.handler, self.record = progress, handler, record
        self.footer = Footer(handler.stream)
        self._streams = {name: getattr(sys, name) for name in ("stdout", "stderr")}
        self._over = threading.Event()
        self._gpus: list[Gpu] = []
        self._watched = 0
        if record is not None:
            (record / SHOWN).touch()
        for name, stream in self._streams.items():
            if _same_terminal(stream, handler.stream):
                setattr(sys, name, self.footer)
        handler.setStream(self.footer)
        self._thread = threading.Thread(target=self._draw, name="progress", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Take the footer away for good; all streams are as they were."""
        if self._over.is_set():
            return
        self._over.set()
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout=10)
        self.handler.setStream(self.footer.terminal)
        for name, stream in self._streams.items():
            setattr(sys, name, stream)
        if self.record is not None:
            # from here on the watcher prints its lines itself
            (self.record / SHOWN).unlink(missing_ok=True)
            with suppress(OSError):
                self._say_watched()
        self.footer.end()

    def _draw(self) -> None:
        looks = 0
        try:
            self.progress.begin()
            while True:
                if not self.record and (not looks or self._gpus) and looks % GPUS_EVERY == 0:
                    self._gpus = machine_gpus()
                self._say_watched()
                self.footer.show(self.progress.lines(self._gpus, max(2, self.footer.height // 3)))
                looks += 1
                if self._over.wait(EVERY_ON_CLUSTER_S if self.record else EVERY_S):
                    return
        except Exception as error:  # whatever it is: the run is worth more than its display
            self.end()
            with suppress(OSError):
                self.footer.terminal.write(f"no more progress here (make status): {type(error).__name__}: {error}\n")

    def _say_watched(self) -> None:
        """What the watcher of the cluster wrote since the last look, above the footer."""
        if self.record is None or not (self.record / WATCHED).exists():
            return
        with (self.record / WATCHED).open("rb") as stream:
            stream.seek(self._watched)
            whole = stream.read().rpartition(b"\n")[0]
        if whole:
            self._watched += len(whole) + 1
            self.footer.write(whole.decode("utf-8", errors="replace") + "\n")


def _same_terminal(one: Any, other: Any) -> bool:
    try:
        return os.ttyname(one.fileno()) == os.ttyname(other.fileno())
    except (OSError, ValueError, AttributeError):
        return False
