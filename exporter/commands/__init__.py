"""What the commands do; `exporter.cli` has their flags. Each returns one of these exit codes."""

WELL = 0
FAILED = 1
"""The work failed."""
WRONG = 2
"""The command line or the configuration is wrong."""
