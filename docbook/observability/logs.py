"""Logs: one JSON object per line, with the request's id and no personal data."""

import logging.config
import re
from collections.abc import MutableMapping
from typing import Any

import structlog

from docbook.observability import refusal

# PostgreSQL quotes values in its messages: DETAIL the refused row, LINE and QUERY the statement
# with its values, CONTEXT the data that could not be read. Each part may have several lines, and a
# value may look like the next part. So only Python's own lines end them.
_ADDED = re.compile(
    r"(?:^|(?<=\\n))(?:DETAIL|HINT|QUERY|CONTEXT|LINE \d+):.*?"
    r"(?=\n(?:\n(?:The above exception was the direct cause of the following exception"
    r"|During handling of the above exception, another exception occurred):\n\n)?"
    r'Traceback \(most recent call last\):\n  File "|\Z)',
    re.MULTILINE | re.DOTALL,
)
# The place in one of our functions: names and types, no values.
_WHERE = re.compile(r"PL/pgSQL function \w+\([\w ,\[\]]*\) line \d+ at [\w ]+$", re.MULTILINE)


def leave_out_details(
    _logger: object, _name: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Removes what the database quotes from tracebacks and messages; what failed and where
    stays.
    """
    for name in ("exception", "event"):
        text = event.get(name)
        if isinstance(text, str):
            event[name] = _ADDED.sub(_without_values, text)
    return event


def _without_values(found: re.Match[str]) -> str:
    return "\n".join(["DETAIL: left out", *_WHERE.findall(found.group())])


def is_a_failure(record: logging.LogRecord) -> bool:
    """False for Django's line about a 503 that staff have switched on themselves."""
    is_answer = getattr(record, "status_code", None) == 503 and not record.exc_info
    return not (is_answer and refusal.is_planned())


def name_the_route(record: logging.LogRecord) -> bool:
    """Puts the route in the place of the path in Django's own lines. A path may hold a key: the
    address of a calendar feed, the link of an offer.
    """
    request = getattr(record, "request", None)
    if request is not None and isinstance(record.args, tuple):
        route = request.resolver_match.route if request.resolver_match else ""
        record.args = tuple(route if each == request.path else each for each in record.args)
    return True


class RefusalNoted(logging.Handler):
    """Adds Django's note on a suspicious request, such as a foreign Host header, to the one line of
    that request. Anybody can send such requests, as many as they like.
    """

    def emit(self, record: logging.LogRecord) -> None:
        refusal.note(record.name.rpartition(".")[2])


def configure() -> None:
    """Sends the records of Django, Celery and our code through one JSON renderer to
    standard error.
    """
    _leave_out_what_no_line_shows()
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
            "filters": {
                "failures": {"()": lambda: is_a_failure},
                "routes": {"()": lambda: name_the_route},
            },
            "handlers": {
                "stderr": {"class": "logging.StreamHandler", "formatter": "json"},
                "refusals": {"()": RefusalNoted},
            },
            "root": {"handlers": ["stderr"], "level": "INFO"},
            # Broken requests are answered and counted. Django's own lines would show their paths.
            "loggers": {
                "django.security": {"handlers": ["refusals"], "propagate": False},
                "django.request": {"level": "ERROR", "filters": ["failures", "routes"]},
                "celery": {"level": "WARNING"},
            },
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


def _leave_out_what_no_line_shows() -> None:
    """Python looks up the caller, thread and process of each record (see "Optimization" in the
    documentation of logging). No line of ours shows them.
    """
    logging._srcfile = None
    logging.logThreads = False
    logging.logProcesses = False
    logging.logMultiprocessing = False
