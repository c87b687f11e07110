"""The memory of worker processes, as resident set size (RSS): what is in the machine's memory, libraries included."""

from __future__ import annotations

import sys
from collections import defaultdict
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Sequence

MIDDLE, END = (0.45, 0.55), (0.9, 1.0)
"""Shares of the photos that are done: growth is told from the first of these to the second."""


class Memory:
    """Samples of the same processes, all along a run."""

    def __init__(self, pids: Sequence[int]) -> None:
        self._processes = [psutil.Process(pid) for pid in pids]
        self._samples: dict[int, list[tuple[float, int]]] = defaultdict(list)

    def sample(self, progress: float) -> None:
        """Take down what each process holds now.

        Raises:
            psutil.NoSuchProcess: one of them is gone.
        """
        for process in self._processes:
            self._samples[process.pid].append((progress, process.memory_info().rss))

    def peak_mb(self) -> float:
        """Return the most that any one of the processes, all alive, ever held."""
        return max(_peak(pid, samples) for pid, samples in self._samples.items()) / 1e6

    def growth(self) -> float | None:
        """Return the share by which the process that grew most did so, or None where the run was too short to tell."""
        return growth(list(self._samples.values()))


def growth(processes: Sequence[Sequence[tuple[float, int]]]) -> float | None:
    """Return the largest growth over the second half; each process has its pairs of progress and bytes."""
    means = [[_mean(samples, *window) for window in (MIDDLE, END)] for samples in processes]
    grown = [end / middle - 1 for middle, end in means if middle and end]
    return max(grown) if grown and len(grown) == len(means) else None


def _mean(samples: Sequence[tuple[float, int]], start: float, end: float) -> float:
    return fmean([size for progress, size in samples if start <= progress <= end] or [0])


def _peak(pid: int, samples: Sequence[tuple[float, int]]) -> int:
    """Return the kernel's own figure where there is one: what rises and falls between two samples counts, too."""
    if sys.platform == "linux":
        status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
        return int(status["VmHWM"].split()[0]) * 1024
    return max(size for _, size in samples)
