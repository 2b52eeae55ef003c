"""Files of Debian packages that are unpacked and never installed, such as a kernel for a guest of the tests.

Installing them would change the machine (its boot menu, its services). They are fetched once into the user's cache,
with apt's sources and apt's signatures; no root is needed.
"""

import os
import platform
import re
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from tests.backends.processes import BackendError

TOOLS = ("apt-get", "apt-cache", "dpkg-deb", "ldd")
SECONDS = 300


def unpacked(*packages: str) -> Path:
    """A folder with the files of these packages, of a metapackage those of the first package that it stands for.

    Raises BackendError with apt's own words where they cannot be had.
    """
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hypervisor-exporter-tests"
    folder = home / "_".join([platform.freedesktop_os_release().get("VERSION_CODENAME", ""), *packages])
    if folder.is_dir():
        return folder
    home.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home) as scratch:
        _download(packages, Path(scratch))
        for package in Path(scratch).glob("*.deb"):
            _run(["dpkg-deb", "--extract", str(package), f"{scratch}/unpacked"])
        with suppress(OSError):  # another run was faster
            Path(scratch, "unpacked").rename(folder)
    return folder


def libraries(binary: Path) -> list[Path]:
    """Shared libraries that a program needs, with the loader; raises BackendError if this machine lacks one."""
    told = _run(["ldd", str(binary)])
    if missing := re.findall(r"(\S+) => not found", told):
        raise BackendError(f"{binary.name} needs {', '.join(missing)}")
    return [Path(path) for path in re.findall(r"(/\S+) \(0x", told)]


def _download(packages: Sequence[str], folder: Path) -> None:
    # Without lists of packages (images), or with lists so old that the archive no longer has what they name, own ones.
    for parts in ("lists/partial", "archives/partial"):
        (folder / parts).mkdir(parents=True)
    own = [f"Dir::State::lists={folder}/lists", f"Dir::Cache={folder}"]
    with suppress(BackendError):
        return _try_download(packages, folder, [])
    _run(["apt-get", *_options(own), "--quiet=2", "update"])
    return _try_download(packages, folder, own)


def _try_download(packages: Sequence[str], folder: Path, settings: Sequence[str]) -> None:
    real = [_stands_for(package, settings) for package in packages]
    _run(["apt-get", *_options(settings), "--quiet=2", "download", *real], folder)


def _stands_for(package: str, settings: Sequence[str]) -> str:
    """The package itself, or the kernel that a metapackage such as linux-image-cloud-amd64 depends on."""
    described = _run(["apt-cache", *_options(settings), "--no-all-versions", "show", package])
    found = re.search(r"^Depends: (linux-image-\d\S+)", described, re.MULTILINE)
    return found[1] if found else package


def _options(settings: Sequence[str]) -> list[str]:
    # A folder of root's is closed to apt's own user.
    return [word for each in (*settings, "APT::Sandbox::User=root", "Acquire::Retries=3") for word in ("-o", each)]


def _run(command: Sequence[str], folder: Path | None = None) -> str:
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    done = subprocess.run(
        command,
        env=environment,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    if done.returncode:
        raise BackendError(f"{' '.join(command)}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout
