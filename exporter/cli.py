"""The command line: flags and exit codes. What each command does lives in `exporter.commands`.

Exit codes: 0 well, 1 the work failed, 2 the command line or the configuration is wrong.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from exporter import __version__
from exporter.commands import FAILED, WRONG
from exporter.config.durations import EXAMPLE, seconds
from exporter.config.mistakes import ConfigError
from exporter.logs import FORMATS, LEVELS
from exporter.web.links import BadUrl, ExternalUrl, parse_url

DEFAULT_PORT = 9974


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    parser = _parser()
    options = parser.parse_args(_with_default_command(given))
    try:
        code: int = options.run(options)
    except ConfigError as error:
        print(error, file=sys.stderr)
        return WRONG
    except BrokenPipeError:
        # The reader of our output (head, less) has seen enough. Python would complain once more when it flushes.
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except KeyboardInterrupt:
        # Calls may hang in threads that the interpreter would wait for.
        sys.stdout.flush()
        os._exit(FAILED)
    return code


def _with_default_command(given: list[str]) -> list[str]:
    """`serve` is meant where no command is named."""
    if given and (given[0] in ("-h", "--help", "--version") or not given[0].startswith("-")):
        return given
    return ["serve", *given]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="hypervisor-exporter",
        description="Prometheus exporter and monitoring daemon for mixed hypervisors.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"hypervisor-exporter {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    _serve(commands)
    _check(commands)
    _once(commands)
    _metrics(commands)
    _plan(commands)
    _rules(commands)
    _platforms(commands)
    _demo(commands)
    return parser


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    text: str,
    run: Callable[[argparse.Namespace], int],
) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".", allow_abbrev=False)
    command.set_defaults(run=run)
    return command


def _config_file(command: argparse.ArgumentParser) -> None:
    command.add_argument("--config.file", dest="config_file", metavar="FILE", type=Path, help="configuration to use")


def _log_flags(command: argparse.ArgumentParser, level: str = "info") -> None:
    command.add_argument("--log.level", dest="log_level", choices=LEVELS, default=level, help="default: %(default)s")
    command.add_argument(
        "--log.format", dest="log_format", choices=FORMATS, default="logfmt", help="default: %(default)s"
    )


def _daemon_flags(command: argparse.ArgumentParser, address: str) -> None:
    command.add_argument(
        "--web.listen-address",
        dest="listen_addresses",
        metavar="HOST:PORT",
        action="append",
        help=f"address to listen on, may be repeated; default: {address}",
    )
    command.add_argument(
        "--shutdown.grace",
        dest="grace_seconds",
        metavar="DURATION",
        type=_grace,
        default=10.0,
        help="time to end in after SIGTERM; default: 10s",
    )
    command.set_defaults(default_address=address)
    _log_flags(command)


def _web_flags(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--web.config.file",
        dest="web_config_file",
        metavar="FILE",
        type=Path,
        help="TLS, client certificates, passwords, headers and rate limit, in exporter-toolkit's format",
    )
    command.add_argument(
        "--web.external-url",
        dest="external_url",
        metavar="URL",
        type=_url,
        help="where clients find the daemon, or just its path behind a proxy",
    )
    command.add_argument(
        "--web.max-requests",
        dest="max_requests",
        metavar="COUNT",
        type=_count,
        help="requests to answer at once, 0 for any number; more are told to come again; default: 40",
    )
    command.add_argument(
        "--web.systemd-socket",
        dest="systemd_socket",
        action="store_true",
        help="serve the sockets that systemd hands over; addresses are listened on only if they are given too",
    )
    command.add_argument(
        "--web.enable-lifecycle", dest="enable_lifecycle", action="store_true", help="allow POST /-/reload"
    )


def _shard_flags(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--shard.count",
        dest="shard_count",
        metavar="COUNT",
        type=int,
        default=1,
        help="daemons that share the targets by a hash of their names; default: 1",
    )
    command.add_argument(
        "--shard.index",
        dest="shard_index",
        metavar="INDEX",
        type=int,
        help="which of them this is, from 0; default: the ordinal at the end of the host name",
    )


def _url(text: str) -> ExternalUrl:
    try:
        return parse_url(text)
    except BadUrl as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _count(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or len(text) > 6:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 0 to 999999")
    return int(text)


def _grace(text: str) -> float:
    grace = seconds(text)
    if grace is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no duration; {EXAMPLE}")
    if not 1 <= grace <= 3600:
        raise argparse.ArgumentTypeError("must lie between 1s and 1h")
    return grace


def _serve(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    def run(options: argparse.Namespace) -> int:
        from exporter.commands.serve import serve  # noqa: PLC0415  each command loads only what it needs

        return serve(options)

    command = _command(commands, "serve", "run the daemon (the default command)", run)
    command.add_argument("--version", action="version", version=f"hypervisor-exporter {__version__}")
    _config_file(command)
    _daemon_flags(command, f":{DEFAULT_PORT}")
    _web_flags(command)
    _shard_flags(command)


def _check(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    def run(options: argparse.Namespace) -> int:
        from exporter.commands.check import check  # noqa: PLC0415

        return check(options)

    command = _command(commands, "check", "check the configuration, with --connect also every target", run)
    _config_file(command)
    command.add_argument("--connect", action="store_true", help="log in to each target and collect it once")
    _log_flags(command, "error")


def _once(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    def run(options: argparse.Namespace) -> int:
        from exporter.commands.once import once  # noqa: PLC0415

        return once(options)

    command = _command(commands, "once", "collect everything once and print the metrics", run)
    _config_file(command)
    command.add_argument("targets", metavar="TARGET", nargs="*", help="only these targets; default: all")
    command.add_argument("--output", metavar="FILE", type=Path, help="write there, atomically, instead of to stdout")
    _log_flags(command, "error")


def _metrics(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    def run(options: argparse.Namespace) -> int:
        from exporter.commands.metrics import metrics  # noqa: PLC0415

        return metrics(options)

    command = _command(commands, "metrics", "list every metric and which platform delivers it", run)
    form = command.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_const", const="json", dest="form", default="table")
    form.add_argument("--markdown", action="store_const", const="markdown", dest="form")


def _plan(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    def run(options: argparse.Namespace) -> int:
        from exporter.commands.plan import plan  # noqa: PLC0415

        return plan(options)

    command = _command(commands, "plan", "predict series, calls and memory of every target", run)
    _config_file(command)
    command.add_argument(
        "--assume",
        metavar="NAME=NUMBER,...",
        help="ask nobody, but reckon with so many hosts, guests, disks, nics, filesystems, snapshots, storages",
    )
    _log_flags(command, "error")


def _rules(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    from exporter.commands.rules import add_flags, rules  # noqa: PLC0415

    add_flags(_command(commands, "rules", "print recording rules and alerts for Prometheus", rules))


def _platforms(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    def run(options: argparse.Namespace) -> int:
        from exporter.commands.platforms import platforms  # noqa: PLC0415

        return platforms(options)

    _command(commands, "platforms", "list the installed platforms", run)


def _demo(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    def run(options: argparse.Namespace) -> int:
        from exporter.commands.serve import demo  # noqa: PLC0415

        return demo(options)

    command = _command(commands, "demo", "run the daemon on an embedded estate, with no hypervisor at all", run)
    _daemon_flags(command, f"127.0.0.1:{DEFAULT_PORT}")


if __name__ == "__main__":
    sys.exit(main())
