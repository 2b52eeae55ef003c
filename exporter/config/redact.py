"""The effective configuration for people: as YAML, every default filled in, no secret in it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import yaml

from exporter.config.addresses import without_password
from exporter.config.durations import written
from exporter.config.model import Auth, Config, Profile, Selection, Target
from exporter.secrets import HIDDEN, scrubbed

_SECRET_KEY = re.compile(r"(?i)pass(word|wd|phrase)?$|secret|token|api_?key|private_?key$")


def redacted_yaml(config: Config) -> str:
    """The configuration as a document of the same form; accounts and profiles that no target uses are left out.

    Files, variables and credentials are named; literal passwords, passwords in addresses, options that are named like
    secrets, and every secret that this process has read appear as `<secret>`.
    """
    auths = {target.auth.name: _auth(target.auth) for target in config.targets if target.auth}
    profiles = {target.profile.name: _profile(target.profile) for target in config.targets}
    document = {
        "config_version": config.version,
        "auths": auths,
        "profiles": profiles,
        "targets": [_target(target) for target in config.targets],
        "discovery": {"files": list(config.discovery.files)},
        "workers": config.workers,
        "limits": {
            "series_per_target": config.limits.series_per_target,
            "series_total": config.limits.series_total,
            "label_value_length": config.limits.label_value_length,
        },
    }
    shown = _hidden({key: value for key, value in document.items() if value is not None})
    return yaml.safe_dump(shown, sort_keys=False, allow_unicode=True, width=120)


def _auth(auth: Auth) -> dict[str, Any]:
    shown: dict[str, Any] = {} if auth.username is None else {"username": auth.username}
    if auth.password is not None:
        literal = auth.password.kind == "literal"
        # Not under its own key: `_hidden` hides whatever is called a password.
        shown["password"] = _Shown(HIDDEN if literal else {auth.password.kind: auth.password.locator})
    return shown


def _profile(profile: Profile) -> dict[str, Any]:
    shown: dict[str, Any] = {"intervals": {group: written(seconds) for group, seconds in profile.intervals}}
    if profile.timeout_seconds is not None:
        shown["timeout"] = written(profile.timeout_seconds)
    return shown | {
        "ttl": {group: written(seconds) for group, seconds in profile.ttl_seconds},
        "families": {
            "include": [*profile.group_include, *profile.family_include],
            "exclude": list(profile.family_exclude),
        },
        "snapshot_kinds": {kind: list(patterns) for kind, patterns in profile.snapshot_kinds},
        "image_base_patterns": list(profile.image_base_patterns),
    }


def _target(target: Target) -> dict[str, Any]:
    tls = target.tls
    shown = {
        "name": target.name,
        "platform": target.platform,
        "address": target.address,
        "auth": target.auth and target.auth.name,
        "profile": target.profile.name,
        "labels": dict(target.labels),
        "tls": _given({
            "ca_file": tls.ca_file,
            "server_name": tls.server_name,
            "cert_file": tls.cert_file,
            "key_file": tls.key_file,
            "insecure_skip_verify": tls.insecure_skip_verify,
            "pin_sha256": tls.pin_sha256,
        }),
        "filters": {"guests": _selection(target.filters.guests)},
        "compute_cluster": target.compute_cluster,
        "options": dict(target.options),
        "mode": target.mode,
    }  # fmt: skip
    return _given(shown)


def _selection(selection: Selection) -> dict[str, list[str]]:
    return {"include": list(selection.include), "exclude": list(selection.exclude)}


def _given(shown: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in shown.items() if value is not None}


class _Shown:
    """A value that is meant to be seen although its key names a secret."""

    def __init__(self, value: object) -> None:
        self.value = value


def _hidden(value: object) -> object:
    if isinstance(value, _Shown):
        return _hidden(value.value)
    if isinstance(value, Mapping):
        return {key: _hidden_below(str(key), below) for key, below in value.items()}
    if isinstance(value, list | tuple):
        return [_hidden(each) for each in value]
    return scrubbed(without_password(value)) if isinstance(value, str) else value


def _hidden_below(key: str, value: object) -> object:
    if _SECRET_KEY.search(key) and isinstance(value, str | int | float | list) and not isinstance(value, bool):
        return HIDDEN
    return _hidden(value)
