"""What tests let run in a process of its own, because it starts libvirt's event loop."""

import threading
import time

from collectors.libvirt.client import connection, lane
from collectors.libvirt.platform import PLATFORM
from tests.integration.libvirt_world import world


def collect_before_and_while_frozen(pipe, uri):
    """Collect, wait for the daemon to be frozen, collect again and tell when a new connection is tried."""
    connection.KEEPALIVE_SECONDS, connection.KEEPALIVE_MISSES = 1, 2
    loop = PLATFORM.runtime()
    loop.start()
    with world(uri) as session:
        session.collect("vitals")
        pipe.send("connected")
        pipe.recv()
        begun = time.monotonic()
        opening = lane.Lane._open

        def tell(self, *use):
            pipe.send(("opening again", 2 < time.monotonic() - begun < 6))
            return opening(self, *use)

        lane.Lane._open = tell
        session.collect("vitals")
    loop.stop()


def start_and_stop_twice(pipe):
    """Tell which threads of libvirt there are while the loop runs and after it has stopped, two times."""
    seen = []
    for _ in range(2):
        loop = PLATFORM.runtime()
        loop.start()
        seen.append(threads())
        loop.stop()
        loop.stop()
        seen.append(threads())
    pipe.send(seen)


def threads():
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("libvirt")]
