"""Structured logs: one line per event, JSON in production, readable elsewhere."""

from typing import Any

import structlog

PROCESSORS: list[structlog.typing.Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.stdlib.PositionalArgumentsFormatter(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
]


def logging_of(level: str, *, as_json: bool) -> dict[str, Any]:
    """Return the logging configuration and configure structlog to use it."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *PROCESSORS,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "lines": {
                "()": structlog.stdlib.ProcessorFormatter,
                "processors": _rendering(as_json=as_json),
                "foreign_pre_chain": PROCESSORS,
            }
        },
        "handlers": {
            "console": {"class": "logging.StreamHandler", "formatter": "lines"}
        },
        "root": {"handlers": ["console"], "level": level},
        "loggers": {
            # Two lines per request and per task cost more than they tell;
            # failures come as warnings and errors.
            "django_structlog": {"level": "WARNING"},
            "axes": {"level": "WARNING"},
            # A line for every task that is sent and received, every few seconds.
            "celery.beat": {"level": "WARNING"},
            "celery.worker.strategy": {"level": "WARNING"},
            "celery.app.trace": {"level": "WARNING"},
            # On lower levels it writes down the tokens that it gives.
            "oauthlib": {"level": "WARNING"},
        },
    }


def _rendering(*, as_json: bool) -> list[structlog.typing.Processor]:
    meta = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    if as_json:
        return [
            meta,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ]
    # A traceback with the values of variables would show keys and members.
    plain = structlog.dev.plain_traceback
    return [
        meta,
        structlog.dev.ConsoleRenderer(colors=False, exception_formatter=plain),
    ]
