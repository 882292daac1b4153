"""The benchmarks run; on a tiny size they measure nothing, but they do not rot."""

import os
import subprocess
import sys

import pytest
from django.conf import settings

from benchmarks.__main__ import NAMES

ROWS = {
    "bulk": 4,
    "live": 6,
    "flatness": 4,
    "contract_batch": 1,
    "backtest": 4,
    "deciding": 2,
    "limits": 6,
    "interactions": 2,
}


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_tiny_run_fills_its_rows_of_the_table(name):
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", name, "--tiny"],
        cwd=settings.BASE_DIR,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    rows = [line for line in done.stdout.splitlines() if line.startswith(f"{name}: ")]
    assert len(rows) == ROWS[name], done.stdout
