"""Variables that a container finds, and whether it is warned that they are no settings."""

from tests.field_reports.report import Report

SERVICE_LINKS = {
    "TASKSERVICE_SERVICE_HOST": "10.0.171.239",
    "TASKSERVICE_SERVICE_PORT": "8000",
    "TASKSERVICE_SERVICE_PORT_HTTP": "8000",
    "TASKSERVICE_PORT": "tcp://10.0.171.239:8000",
    "TASKSERVICE_PORT_8000_TCP": "tcp://10.0.171.239:8000",
    "TASKSERVICE_PORT_8000_TCP_PROTO": "tcp",
    "TASKSERVICE_PORT_8000_TCP_PORT": "8000",
    "TASKSERVICE_PORT_8000_TCP_ADDR": "10.0.171.239",
}
"""What Kubernetes makes of a Service that is called taskservice."""

VARIABLES: list[Report[dict[str, str], list[str]]] = [
    Report("yuzutech/kroki#576", "a Service called taskservice", SERVICE_LINKS, []),
    Report(
        "yuzutech/kroki#576",
        "others, called taskservice-db and taskservice-api-v2",
        {
            name.replace("TASKSERVICE", service, 1): value
            for name, value in SERVICE_LINKS.items()
            for service in ("TASKSERVICE_DB", "TASKSERVICE_API_V2")
        },
        [],
    ),
    Report("yuzutech/kroki#576", "in IPv6", {"TASKSERVICE_PORT": "udp://[fd00::1]:53"}, []),
    *(
        Report("yuzutech/kroki#576", f"{name}={value}", {name: value}, [name])
        for name, value in {
            "TASKSERVICE_PORT": "8000",
            "TASKSERVICE_METRICS_PORT": "9100",
            "TASKSERVICE_HOST": "10.0.171.239",
            "TASKSERVICE_SERVICE_PORT": "http",
            "TASKSERVICE_PORT_8000_TCP_PROXY": "tcp",
            "TASKSERVICE_JWT_SECRETT": "tcp://10.0.171.239:8000",
        }.items()
    ),
]
"""An environment beside the settings, and the names that are warned of."""
