"""`python -m exporter.testing [--platform NAME] [--world NAME=MODULE:FACTORY] [flags of pytest]`."""

from __future__ import annotations

import sys


def main(arguments: list[str]) -> int:
    """Run the suite; pytest's exit code."""
    try:
        import pytest  # noqa: PLC0415  only to say how to get it
    except ImportError:
        print("the contract suite needs pytest: pip install 'hypervisor-exporter[testing]'", file=sys.stderr)  # noqa: T201
        return 2
    return int(pytest.main(["-p", "exporter.testing.plugin", "--pyargs", "exporter.testing", *arguments]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
