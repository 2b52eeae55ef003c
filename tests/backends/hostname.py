"""A host name of its own for one process: a library that answers gethostname() from the environment.

A UTS namespace would do the same but wants privileges; a compiler is there since libvirt-python is built with it.
"""

import subprocess
from pathlib import Path

from tests.backends.processes import Scratch, find_binary

HOSTNAME = "LAB_HOSTNAME"
SOURCE = """\
#include <stdlib.h>
#include <string.h>

int gethostname(char *name, size_t size)
{
    const char *wanted = getenv("%s");
    strncpy(name, wanted ? wanted : "localhost", size);
    return 0;
}
"""


def hostname_library(scratch: Scratch) -> Path:
    """Path of the library, for LD_PRELOAD; the name itself is the variable HOSTNAME."""
    source = scratch.file("preload/hostname.c", SOURCE % HOSTNAME)
    library = source.with_suffix(".so")
    command = [find_binary("cc") or "cc", "-shared", "-fPIC", "-o", str(library), str(source)]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    library.chmod(0o755)
    return library
