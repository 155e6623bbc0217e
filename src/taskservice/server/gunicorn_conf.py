"""The recommended settings of gunicorn.

Use them as `gunicorn -c python:taskservice.server.gunicorn_conf taskservice.wsgi:app`.

gunicorn's command line and GUNICORN_CMD_ARGS override them.
"""

import logging
import os
import sys

from gunicorn.arbiter import Arbiter
from gunicorn.workers.base import Worker as BaseWorker

from taskservice.adapters import prometheus
from taskservice.app import serve_metrics
from taskservice.config import ConfigError, Settings, log_settings, pool_size, worker_count
from taskservice.core.operations.admission import QUEUE_LIMIT_PER_SLOT
from taskservice.docstring_check import require_docstrings
from taskservice.error_messages import error_message
from taskservice.server.draining import block_stop_signals_during_forks
from taskservice.server.logger import Log
from taskservice.server.worker import Worker
from taskservice.startup_checks import check_at_startup
from taskservice.temporary_folder import memory_folder, require_writable

_log = logging.getLogger("taskservice")

# One log for the service and gunicorn, in the format TASKSERVICE_LOG_FORMAT.
logger_class = Log
loglevel = log_settings(os.environ)[0]

# The access log (--access-logfile -) contains paths, hence users, but no query: it may quote tasks.
access_log_format = '%(h)s "%(m)s %(U)s %(H)s" %(s)s %(B)s'

# Threads wait for the database; processes use the cores.
worker_class = Worker
workers = worker_count(os.environ, default=2)

# One per admitted or queued request (see `core.operations.admission`), and 3 for all others.
threads = pool_size(os.environ) * (1 + QUEUE_LIMIT_PER_SLOT) + 3

# Each worker opens its own database connections: a fork must not share them.
preload_app = False

# A stuck worker is replaced; a stopping worker finishes its requests.
timeout = 30
graceful_timeout = 30

# Longer than a proxy's keep-alive (nginx: 60 s): it must not reuse a closed connection.
keepalive = 75

# Large enough for a token in a header.
limit_request_line = 8190
limit_request_fields = 100
limit_request_field_size = 8190

# The C parser accepts invalid framing that this one rejects, such as bare line feeds.
http_parser = "python"

# Trust no X-Forwarded-* or SCRIPT_NAME headers: gunicorn's default trusts them from 127.0.0.1.
forwarded_allow_ips = ""
forwarder_headers = ""

# All servers of the same user would share the control socket.
control_socket_disable = True

# A worker's heartbeat file must not block on a disk.
worker_tmp_dir = memory_folder()


def post_worker_init(worker: BaseWorker) -> None:
    """Log that a worker is ready: gunicorn logs only that it boots."""
    worker.log.info("Worker ready (pid: %s)", worker.pid)


def on_starting(arbiter: Arbiter) -> None:
    """Check the configuration before the workers start, so that they do not crash in a loop."""
    try:
        if arbiter.cfg.preload_app:
            raise ConfigError("gunicorn's preload_app must be off: workers would share connections")
        require_docstrings()
        settings = Settings.from_environment(os.environ)
        require_writable(arbiter.cfg.worker_tmp_dir)
        check_at_startup(settings)
        serve_metrics(settings)
        block_stop_signals_during_forks()
    except Exception as error:
        _log.debug("startup failed", exc_info=True)
        sys.stderr.write(f"taskservice: {error_message(error)}\n")
        sys.exit(2)


def post_fork(arbiter: Arbiter, worker: Worker) -> None:
    """Give a worker the signals that the inherited handlers of the master put into a queue."""
    worker.early_signals = arbiter.SIG_QUEUE


def child_exit(_: Arbiter, worker: BaseWorker) -> None:
    """Remove the gauges of a worker that has exited."""
    prometheus.forget_process(int(worker.pid))
