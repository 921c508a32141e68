"""Logs: one JSON object a line, with the request's id and no personal data."""

import logging.config
import re
from collections.abc import MutableMapping
from typing import Any

import structlog

# PostgreSQL says in DETAIL which values were refused: the whole row, names and addresses included.
_DETAIL = re.compile(r"^DETAIL:.*$", re.MULTILINE)


def leave_out_details(
    _logger: object, _name: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Takes the database's details out of a traceback; what and where stays."""
    if "exception" in event:
        event["exception"] = _DETAIL.sub("DETAIL: left out", event["exception"])
    return event


def configure() -> None:
    """Sends Django's, Celery's and our own records through one JSON renderer to standard error."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        leave_out_details,
    ]
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "json": {
                    "()": structlog.stdlib.ProcessorFormatter,
                    "processor": structlog.processors.JSONRenderer(),
                    "foreign_pre_chain": shared,
                }
            },
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
            "root": {"handlers": ["stderr"], "level": "INFO"},
            # Broken requests are answered and counted; Django's own lines would name their paths.
            "loggers": {"django.request": {"level": "ERROR"}, "celery": {"level": "WARNING"}},
        }
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
