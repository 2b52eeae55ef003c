"""What the tests of sockets let run in a process of its own, because it gives up root."""

import os
from contextlib import suppress
from pathlib import Path

from exporter.errors import CollectorError
from tests.integration.libvirt_world import world


def collect_as_its_owner(pipe, uri, socket):
    """Collect from a socket that nobody may open any more: root may, so this process becomes the socket's owner."""
    owner = Path(socket).stat()
    with world(uri) as session, suppress(CollectorError):
        session.collect("vitals")  # whatever is imported late is imported now
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(owner.st_gid, owner.st_gid, owner.st_gid)
        os.setresuid(owner.st_uid, owner.st_uid, owner.st_uid)
    Path(socket).chmod(0)
    try:
        with world(uri) as session:
            session.collect("vitals")
    except CollectorError as error:
        pipe.send((type(error).__name__, str(error)))
    else:
        pipe.send(("collected", ""))
    finally:
        Path(socket).chmod(0o700)
