"""The recommended settings of gunicorn.

Use them as `gunicorn -c python:taskservice.server.gunicorn_conf taskservice.wsgi:app`.

What stands on gunicorn's command line, or in GUNICORN_CMD_ARGS, wins over this.
"""

import logging
import os
import sys

from gunicorn.arbiter import Arbiter
from gunicorn.workers.base import Worker as AnyWorker

from taskservice.adapters import prometheus
from taskservice.app import serve_metrics
from taskservice.config import ConfigError, Settings, log_choice, pool_size, worker_count
from taskservice.core.operations.admission import QUEUE_LIMIT_PER_SLOT
from taskservice.docstrings import require_docstrings
from taskservice.error_messages import error_message
from taskservice.server.draining import hold_stop_signals_over_forks
from taskservice.server.logger import Log
from taskservice.server.worker import Worker
from taskservice.startup import check_at_start
from taskservice.temporary_files import memory_folder, require_writable

_log = logging.getLogger("taskservice")

# One log, in the form that TASKSERVICE_LOG_FORMAT names.
logger_class = Log
loglevel = log_choice(os.environ)[0]

# An access log (--accesslog -) shows paths, hence users, but no query: that holds what was sought.
access_log_format = '%(h)s "%(m)s %(U)s %(H)s" %(s)s %(B)s'

# Threads wait for the database together; one process a core computes.
worker_class = Worker
workers = worker_count(os.environ, default=2)

# One for each who is served or waits (see `core.admission`), and some for whoever is turned away.
threads = pool_size(os.environ) * (1 + QUEUE_LIMIT_PER_SLOT) + 3

# Each worker opens its own database connections: none is shared across a fork.
preload_app = False

# A worker that is stuck is replaced; one that is told to stop finishes what it has begun.
timeout = 30
graceful_timeout = 30

# Longer than a proxy keeps an idle connection (nginx: 60 s): it must not write into a closed one.
keepalive = 75

# A token fits a header; nothing else needs as much.
limit_request_line = 8190
limit_request_fields = 100
limit_request_field_size = 8190

# The C parser, where it is installed, takes framing that this one refuses, such as bare line feeds.
http_parser = "python"

# Believe no X-Forwarded-… or SCRIPT_NAME: gunicorn trusts them from 127.0.0.1 unless told.
forwarded_allow_ips = ""
forwarder_headers = ""

# The control socket would be shared by every server of the same user.
control_socket_disable = True

# The heartbeat file of a worker must not wait for a disk.
worker_tmp_dir = memory_folder()


def post_worker_init(worker: AnyWorker) -> None:
    """Tell that a worker answers: "Booting worker" comes before the application is loaded."""
    worker.log.info("Worker ready (pid: %s)", worker.pid)


def on_starting(arbiter: Arbiter) -> None:
    """Check the configuration before any worker starts, so that none boots in a loop."""
    try:
        if arbiter.cfg.preload_app:
            raise ConfigError("gunicorn's preload_app must be off: workers would share connections")
        require_docstrings()
        settings = Settings.from_environment(os.environ)
        require_writable(arbiter.cfg.worker_tmp_dir)
        check_at_start(settings)
        serve_metrics(settings)
        hold_stop_signals_over_forks()
    except Exception as error:
        _log.debug("startup failed", exc_info=True)
        sys.stderr.write(f"taskservice: {error_message(error)}\n")
        sys.exit(2)


def post_fork(arbiter: Arbiter, worker: Worker) -> None:
    """Have a worker know what the master's handlers, which it is born with, take for it."""
    worker.early_signals = arbiter.SIG_QUEUE


def child_exit(_: Arbiter, worker: AnyWorker) -> None:
    """Count a worker that has ended no longer among those that are at work."""
    prometheus.retire(int(worker.pid))
