"""The project's own PostgreSQL: started once, shared, stopped when asked."""

import subprocess
import sys
import time

import psycopg
import pytest

from config import private_postgres

START = (
    "import pathlib, sys; from config import private_postgres as p; "
    "print(p.ensure_running(pathlib.Path(sys.argv[1])))"
)


@pytest.fixture
def folder(tmp_path):
    yield tmp_path / "postgres"
    private_postgres.stop(tmp_path / "postgres")


def start_in_another_process(folder):
    return subprocess.Popen(
        [sys.executable, "-c", START, str(folder)], stdout=subprocess.PIPE, text=True
    )


def value(folder, query):
    with psycopg.connect(private_postgres.url(folder=folder)) as connection:
        return next(iter(connection.execute(query)))[0]


def test_processes_that_start_at_once_share_a_server_that_outlives_them(folder):
    processes = [start_in_another_process(folder) for _ in range(3)]

    answers = [process.communicate(timeout=60)[0].strip() for process in processes]

    assert sorted(answers) == ["False", "False", "True"]
    assert private_postgres.is_running(folder)
    assert value(folder, "SHOW synchronous_commit") == "on"
    assert value(folder, "SHOW max_connections") == "200"
    assert value(folder, "SHOW listen_addresses") == ""


def test_data_survive_a_stop(folder):
    private_postgres.ensure_running(folder)
    with psycopg.connect(private_postgres.url(folder=folder)) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS number")

    private_postgres.stop(folder)
    is_running_between = private_postgres.is_running(folder)
    private_postgres.ensure_running(folder)

    assert not is_running_between
    assert value(folder, "SELECT number FROM kept") == 7


def test_a_server_that_was_killed_starts_again(folder):
    private_postgres.ensure_running(folder)
    process_id = (folder / "postmaster.pid").read_text().split()[0]
    subprocess.run(["kill", "-9", process_id], check=True)
    while private_postgres.is_running(folder):
        time.sleep(0.01)

    is_started = private_postgres.ensure_running(folder)

    assert is_started
    assert value(folder, "SELECT 1") == 1


def test_only_the_process_that_started_it_stops_it(folder):
    start_in_another_process(folder).communicate(timeout=60)

    is_stopped = private_postgres.stop_if_started_here(folder)

    assert not is_stopped
    assert private_postgres.is_running(folder)


def test_a_folder_with_a_long_name_gets_a_socket_elsewhere(tmp_path):
    folder = tmp_path / ("long" * 30) / "postgres"

    private_postgres.ensure_running(folder)

    assert private_postgres.socket_folder(folder) != folder
    assert value(folder, "SELECT 1") == 1
    private_postgres.stop(folder)
