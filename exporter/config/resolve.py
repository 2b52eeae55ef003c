"""From the validated document to the `Config` that the program uses: references resolved, defaults filled in."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from exporter.config import model, schema
from exporter.config.rules import Known
from exporter.secrets import SecretSource


@dataclass(frozen=True, slots=True)
class Source:
    """Targets of one file; relative paths in it are relative to its folder."""

    file: str
    folder: Path
    targets: Sequence[schema.Target]


def config(document: schema.Document, sources: Sequence[Source], known: Known) -> model.Config:
    """The configuration; the first source is the document itself. The document must hold no mistake."""
    folder = sources[0].folder
    auths = {name: _auth(name, auth, folder) for name, auth in document.auths.items()}
    profiles = {"default": model.Profile()} | {
        name: _profile(name, one, known.opt_in_groups) for name, one in document.profiles.items()
    }
    limits = document.limits
    return model.Config(
        version=document.config_version,
        targets=tuple(
            _target(target, auths, profiles, source.folder, known) for source in sources for target in source.targets
        ),
        workers=document.workers,
        limits=model.Limits(limits.series_per_target, limits.series_total, limits.label_value_length),
        discovery=model.Discovery(tuple(document.discovery.files), tuple(source.file for source in sources[1:])),
        source=sources[0].file,
    )


def _auth(name: str, auth: schema.Auth, folder: Path) -> model.Auth:
    password = auth.password
    if password is not None and password.kind == "file":
        password = SecretSource("file", str(folder / password.locator))
    return model.Auth(name, auth.username, password)


def _profile(name: str, profile: schema.Profile, opt_in_groups: Collection[str]) -> model.Profile:
    wanted = profile.families.include
    groups = tuple(word for word in wanted if word in opt_in_groups)
    kinds = dict(model.DEFAULT_SNAPSHOT_KINDS)
    given = profile.snapshot_kinds
    for kind in ("backup", "schedule", "replication"):
        patterns = getattr(given, kind)
        if patterns is not None:
            kinds[kind] = tuple(patterns)
    return model.Profile(
        name=name,
        intervals=tuple(sorted({**model.DEFAULT_INTERVALS, **profile.intervals}.items())),
        timeout_seconds=profile.timeout,
        ttl_seconds=tuple(sorted(profile.ttl.items())),
        family_include=tuple(word for word in wanted if word not in groups),
        family_exclude=tuple(profile.families.exclude),
        group_include=groups,
        snapshot_kinds=tuple(kinds.items()),
        image_base_patterns=tuple(profile.image_base_patterns),
    )


def _target(
    target: schema.Target,
    auths: Mapping[str, model.Auth],
    profiles: Mapping[str, model.Profile],
    folder: Path,
    known: Known,
) -> model.Target:
    tls = target.tls
    guests = target.filters.guests

    def located(path: str | None) -> str | None:
        return None if path is None else str(folder / path)

    return model.Target(
        name=target.name,
        platform=known.platform_of(target.platform, target.options),
        address=target.address,
        auth=None if target.auth is None else auths[target.auth],
        labels=tuple(sorted(target.labels.items())),
        tls=model.Tls(
            located(tls.ca_file),
            tls.server_name,
            tls.pin_sha256,
            located(tls.cert_file),
            located(tls.key_file),
            tls.insecure_skip_verify,
        ),
        filters=model.Filters(model.Selection(tuple(guests.include), tuple(guests.exclude))),
        compute_cluster=target.compute_cluster,
        options=target.options,
        mode=target.mode,
        profile=profiles[target.profile],
    )
