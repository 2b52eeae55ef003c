"""Scrapes with so many connections at once, as often as asked, and prints what it saw as JSON. A process of its own.

Before every round it asks for /-/healthy: how long a trivial answer takes on a machine as busy as it is just then.

argv: host:port, connections, rounds, seconds between rounds, "gzip" or "plain".
"""

import json
import socket
import sys
import threading
import time


def scrape(address: tuple[str, int], path: str, encoding: str, seen: list[tuple[float, float, int]]) -> None:
    """One scrape on a connection of its own; seconds to the first byte and to the last, and bytes."""
    accept = "application/openmetrics-text;version=1.0.0" if encoding == "gzip" else "text/plain;version=0.0.4"
    coding = "Accept-Encoding: gzip\r\n" if encoding == "gzip" else ""
    request = f"GET {path} HTTP/1.1\r\nHost: bench\r\nAccept: {accept}\r\n{coding}Connection: close\r\n\r\n"
    with socket.create_connection(address, timeout=60) as connection:
        begun = time.perf_counter()
        connection.sendall(request.encode())
        length = len(connection.recv(1 << 16))
        first = time.perf_counter() - begun
        while received := len(connection.recv(1 << 20)):
            length += received
    seen.append((first, time.perf_counter() - begun, length))


def main() -> None:
    host, _, port = sys.argv[1].rpartition(":")
    connections, rounds, pause, encoding = int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]), sys.argv[5]
    seen: list[tuple[float, float, int]] = []
    trivial: list[tuple[float, float, int]] = []
    address = (host, int(port))
    begun = time.monotonic()
    for _ in range(rounds):
        scrape(address, "/-/healthy", encoding, trivial)
        jobs = (address, "/metrics", encoding, seen)
        threads = [threading.Thread(target=scrape, args=jobs) for _ in range(connections)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        time.sleep(pause)
    print(json.dumps({"seen": seen, "trivial": trivial, "seconds": time.monotonic() - begun}))


if __name__ == "__main__":
    main()
