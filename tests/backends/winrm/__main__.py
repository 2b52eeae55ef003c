"""A WinRM server to try things at: `python -m tests.backends.winrm --guests 1000` prints where it is."""

import argparse
import json
import signal
import threading

from tests.backends.winrm.cim import BUILDS
from tests.backends.winrm.estates import cluster, stand_alone
from tests.backends.winrm.server import TRANSPORTS, WinRM


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.backends.winrm", description=__doc__)
    parser.add_argument("--guests", type=int, default=3, help="guests in all")
    parser.add_argument("--nodes", type=int, default=0, help="nodes of a cluster; without: a stand-alone host")
    parser.add_argument("--build", type=int, choices=BUILDS, default=2022)
    parser.add_argument("--seed", type=int, default=0, help="not 0: guests of different sizes")
    parser.add_argument("--transport", choices=TRANSPORTS, default="ntlm")
    parser.add_argument("--tls", action="store_true")
    parser.add_argument("--allow-unencrypted", action="store_true", help="Basic without TLS")
    parser.add_argument("--still", action="store_true", help="counters stand still")
    parser.add_argument("--port", type=int, default=0)
    return parser.parse_args()


def main() -> None:
    given = arguments()
    if given.nodes:
        estate = cluster(given.nodes, given.guests, given.seed, build=given.build)
    else:
        estate = stand_alone(given.build, given.guests, given.seed)
    if not given.still:
        estate.clock.run()
    over = threading.Event()
    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, lambda *_: over.set())
    with WinRM(
        estate,
        transport=given.transport,
        tls=given.tls,
        allow_unencrypted=given.allow_unencrypted,
        port=given.port,
    ) as server:
        told = {
            "url": server.url,
            "nodes": {site.name: site.url for site in server.sites},
            "user": server.user,
            "password": server.password,
        }
        files = {"ca_file": server.ca_file, "cert_file": server.cert_file, "key_file": server.key_file}
        print(json.dumps({**told, **(files if server.tls else {})}), flush=True)
        over.wait()
        print(json.dumps(dict(server.counts)), flush=True)


if __name__ == "__main__":
    main()
