"""Free ports on loopback."""

import socket


def free_ports(n: int) -> list[int]:
    """Ports that nobody listens on now; all are held until the last is found, so all differ."""
    probes = [socket.socket() for _ in range(n)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]
    finally:
        for probe in probes:
            probe.close()
