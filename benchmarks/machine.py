"""Facts about the machine, without which no number means anything."""

from __future__ import annotations

import os
import platform
import resource
import sys
from pathlib import Path

from benchmarks import database


def facts() -> list[str]:
    """Return what the numbers were measured on, a line each."""
    processor = f"{_processor()}, {os.cpu_count()} cores"
    system = f"{platform.system()} {platform.release()}"
    return [
        f"{processor}, {_memory_gigabytes():.0f} GB, {system}",
        f"Python {platform.python_version()}, {database.server_facts()}",
        f"Load before the start: {os.getloadavg()[0]:.1f} (others' work disturbs)",
    ]


def peak_megabytes() -> float:
    """Return the most memory that this process has held."""
    status = Path("/proc/self/status")
    if status.exists():
        # The usage that the system reports for a child may be its parent's.
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    unit = 1024**2 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _memory_gigabytes() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3
