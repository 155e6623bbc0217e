"""Addresses of databases with secrets wherever they may stand, and what is shown of each."""

from tests.field_reports.report import Report

SECRET_PART = "hunter2"

SHOWN: list[Report[str, str]] = [
    Report("security review", "no server", "sqlite:///taskservice.db", "sqlite:///taskservice.db"),
    Report("security review", "a path", "sqlite:////srv/a b@c.db", "sqlite:////srv/a b@c.db"),
    Report("security review", "a query", "sqlite:///x.db?vfs=hunter2&uri=true", "sqlite:///x.db"),
    *(
        Report("security review", name, address, "postgresql://db.example:6543/tasks")
        for name, address in {
            "a password": "postgresql://ada:hunter2@db.example:6543/tasks",
            "another scheme": "postgres://ada:hunter2@db.example:6543/tasks",
            "a user that is one": "postgresql://hunter2@db.example:6543/tasks",
            "?password=": "postgresql://db.example:6543/tasks?password=hunter2",
            "?sslpassword=": "postgresql://ada@db.example:6543/tasks?sslmode=require&sslpassword=hunter2",
            "?passfile=": "postgresql://db.example:6543/tasks?passfile=/home/hunter2",
            "?options=": "postgresql://db.example:6543/tasks?options=-c%20x.y%3Dhunter2",
        }.items()
    ),
    Report(
        "security review",
        "several hosts",
        "postgresql://ada:hunter2@a:1,b:2/tasks?target_session_attrs=any",
        "postgresql://a,b/tasks",
    ),
    Report(
        "security review",
        "IPv6",
        "postgresql://ada:hunter2@[::1]/tasks",
        "postgresql://[::1]/tasks",
    ),
]
