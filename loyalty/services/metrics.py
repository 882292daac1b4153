"""What is counted while the site runs, for Prometheus.

Each process writes its counts to files in the folder that the environment names
(``PROMETHEUS_MULTIPROC_DIR``, set by the settings); whoever answers ``/metrics`` adds
them up.
"""

from prometheus_client import Counter, Histogram

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)

#: ``route`` is the address with names in place of values, never what a client sent.
REQUEST_SECONDS = Histogram(
    "loyalty_http_request_seconds",
    "Time to answer a request.",
    ["method", "route", "status"],
    buckets=_SECONDS,
)
#: ``outcome`` is recorded, replayed, or the code of the refusal.
ACTIVITIES = Counter(
    "loyalty_activities",
    "Activities that were recorded, replayed or refused.",
    ["outcome"],
)
