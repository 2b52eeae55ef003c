"""Whom a target's connections log in as, and what is remembered of a refusal, so that no account is ever locked."""

from __future__ import annotations

from exporter.config.model import Auth


class Account:
    """The account of a target, shared by all its connections: of both lanes, and of all nodes of a cluster."""

    def __init__(self, auth: Auth | None) -> None:
        self._auth = auth
