"""The document as an operator writes it: every key with its type, its default and the rules that need only itself.

The one source of validation, of the JSON Schema for editors and of the keys in docs/configuration.md. What the
program works with is `exporter.config.model`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, cast

import pydantic
from pydantic import Field, ValidationInfo, field_validator

from exporter.config import rules
from exporter.config.durations import written
from exporter.config.fields import Duration, Glob, Interval, Password, Pattern, Pin, Text, Version
from exporter.config.findings import Finding, refuse, refuse_all
from exporter.config.model import DEFAULT_IMAGE_BASE_PATTERNS, DEFAULT_INTERVALS, DEFAULT_OPT_IN_INTERVAL, VITALS
from exporter.config.model import Limits as DefaultLimits
from exporter.config.rules import Known

_LIMITS = DefaultLimits()


class Strict(pydantic.BaseModel):
    """Unknown keys are refused, nothing is converted, and no error shows its input."""

    model_config = pydantic.ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


def _known(info: ValidationInfo) -> Known:
    return cast("Known", info.context)


class Auth(Strict):
    """An account."""

    username: Text | None = Field(None, description="Name of the account, for example EXAMPLE\\monitor.")
    password: Password | None = Field(None, description="Where the password is found.")


class Families(Strict):
    """Which families are exported, as globs over their names."""

    include: list[Glob] = Field([], description="Families and groups that are off by default and wanted.")
    exclude: list[Glob] = Field([], description="Families that are not wanted.")

    @field_validator("include")
    @classmethod
    def _include_exists(cls, given: list[str], info: ValidationInfo) -> list[str]:
        return rules.families(given, _known(info), also=_known(info).opt_in_groups)

    @field_validator("exclude")
    @classmethod
    def _exclude_exists(cls, given: list[str], info: ValidationInfo) -> list[str]:
        return rules.families(given, _known(info))


class SnapshotKinds(Strict):
    """Regular expressions over names of snapshots, per kind; what none matches is of kind `user`."""

    backup: list[Pattern] | None = Field(None, description="Replaces the built-in patterns of backup products.")
    schedule: list[Pattern] | None = Field(None, description="Replaces the built-in patterns of schedules.")
    replication: list[Pattern] | None = Field(None, description="Recovery points of replicas; none by default.")


class Profile(Strict):
    """How often, how long and what to collect."""

    intervals: dict[str, Interval] = Field({}, description="Seconds between collections, per group.")
    timeout: Duration | None = Field(None, description="Deadline of a vitals collection; 0.8 x its interval.")
    ttl: dict[str, Duration] = Field({}, description="How long old data is shown, per group.")
    families: Families = Families()
    snapshot_kinds: SnapshotKinds = SnapshotKinds()
    image_base_patterns: list[Glob] = Field(
        list(DEFAULT_IMAGE_BASE_PATTERNS), description="Paths of images that many guests are cloned from."
    )

    @field_validator("intervals")
    @classmethod
    def _intervals_of_groups(cls, given: dict[str, float], info: ValidationInfo) -> dict[str, float]:
        rules.groups(given, _known(info))
        return given

    @field_validator("timeout")
    @classmethod
    def _timeout_within_interval(cls, given: float | None, info: ValidationInfo) -> float | None:
        interval = _interval(VITALS, info)
        if given is not None and interval is not None and given >= interval:
            refuse(f"must be shorter than the interval of vitals, {written(interval)}")
        return given

    @field_validator("ttl")
    @classmethod
    def _ttl_beyond_interval(cls, given: dict[str, float], info: ValidationInfo) -> dict[str, float]:
        rules.groups(given, _known(info))
        found = [
            Finding((group,), f"must not be shorter than the group's interval, {written(interval)}")
            for group, ttl in given.items()
            if (interval := _interval(group, info)) is not None and ttl < interval
        ]
        if found:
            refuse_all(found)
        return given


def _interval(group: str, info: ValidationInfo) -> float | None:
    """The interval that the profile gives a group; None where its intervals are themselves wrong."""
    if "intervals" not in info.data:
        return None
    intervals = cast("dict[str, float]", info.data["intervals"])
    return intervals.get(group, DEFAULT_INTERVALS.get(group, DEFAULT_OPT_IN_INTERVAL))


class Tls(Strict):
    """How the endpoint is verified, and who we are to it."""

    ca_file: Text | None = Field(None, description="PEM file with the certificate authorities to trust.")
    server_name: Text | None = Field(None, description="Name to expect in the certificate.")
    cert_file: Text | None = Field(None, description="PEM file with our certificate.")
    key_file: Text | None = Field(None, description="PEM file with our key, if cert_file does not hold it.")
    insecure_skip_verify: bool = Field(default=False, description="Verify nothing; exported as tls_verified 0.")
    pin_sha256: Pin | None = Field(None, description="SHA-256 of the endpoint's certificate, in hexadecimal.")

    @field_validator("key_file")
    @classmethod
    def _key_with_certificate(cls, given: str | None, info: ValidationInfo) -> str | None:
        if given is not None and info.data.get("cert_file", "") is None:
            refuse("needs cert_file beside it")
        return given

    @field_validator("pin_sha256")
    @classmethod
    def _pin_is_checked(cls, given: str | None, info: ValidationInfo) -> str | None:
        if given is not None and info.data.get("insecure_skip_verify"):
            refuse("contradicts insecure_skip_verify", "a pin alone is enough for a self-signed certificate")
        return given


class Selection(Strict):
    """Names that are wanted, as shell patterns; case matters."""

    include: list[Glob] = Field([], description="Only these; all if there is none.")
    exclude: list[Glob] = Field([], description="Not these, even if they are included.")


class Filters(Strict):
    """Which objects get series of their own; sums over hosts, clusters and storage count all."""

    guests: Selection = Selection()


class Target(Strict):
    """One management endpoint."""

    name: str = Field(description="Unique; the label target, and its place in the web pages.")
    platform: str = Field(description="Make of the endpoint; the command platforms lists them.")
    address: str = Field(description="Host name, URL or URI, as the platform wants it; never with a password.")
    auth: str | None = Field(None, description="Name of one of auths.")
    profile: str = Field("default", description="Name of one of profiles.")
    labels: dict[str, str] = Field({}, description="Labels for hypervisor_target_info.")
    tls: Tls = Tls()
    filters: Filters = Filters()
    compute_cluster: Text | None = Field(None, description="Cluster that a stand-alone host belongs to.")
    options: dict[str, Any] = Field({}, description="Options of the platform.", validate_default=True)
    mode: Literal["scheduled", "probe"] = Field("scheduled", description="probe: collected only by /probe.")

    @field_validator("name")
    @classmethod
    def _name_is_usable(cls, given: str) -> str:
        return rules.target_name(given)

    @field_validator("platform")
    @classmethod
    def _platform_exists(cls, given: str, info: ValidationInfo) -> str:
        return rules.reference(given, _known(info).platforms, "platform")

    @field_validator("address")
    @classmethod
    def _address_is_usable(cls, given: str, info: ValidationInfo) -> str:
        return rules.address(given, _known(info).platforms.get(info.data.get("platform", "")))

    @field_validator("auth")
    @classmethod
    def _auth_exists(cls, given: str | None, info: ValidationInfo) -> str | None:
        return given if given is None else rules.reference(given, _known(info).auths, "auth")

    @field_validator("profile")
    @classmethod
    def _profile_exists(cls, given: str, info: ValidationInfo) -> str:
        return rules.reference(given, {*_known(info).profiles, "default"}, "profile")

    @field_validator("labels")
    @classmethod
    def _labels_are_free(cls, given: dict[str, str], info: ValidationInfo) -> dict[str, str]:
        return dict(rules.labels(given, _known(info).labels))

    @field_validator("options")
    @classmethod
    def _options_of_platform(cls, given: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        platform = _known(info).platforms.get(info.data.get("platform", ""))
        return given if platform is None else rules.options(given, platform)


class Discovery(Strict):
    """Targets from files that change."""

    files: list[Glob] = Field([], description="Globs of files that hold targets: [...] or a bare list of targets.")


_Budget = Annotated[int, Field(ge=1)]


class Limits(Strict):
    """Budgets that protect Prometheus and this process."""

    series_per_target: _Budget = Field(_LIMITS.series_per_target, description="Series of one target.")
    series_total: _Budget = Field(_LIMITS.series_total, description="Series of all targets.")
    label_value_length: _Budget = Field(_LIMITS.label_value_length, description="Characters of a label's value.")


class TargetFile(Strict):
    """A file that discovery finds."""

    targets: list[Target] = []


class Document(TargetFile):
    """Configuration of hypervisor-exporter."""

    config_version: Version = Field(description="Version of this format.")
    auths: dict[Text, Auth] = Field({}, description="Accounts by name.")
    profiles: dict[Text, Profile] = Field({}, description="Profiles by name; default applies where none is named.")
    discovery: Discovery = Discovery()
    workers: Annotated[int, Field(ge=1)] | None = Field(
        None, description="Worker processes; by default the smaller of cores and targets."
    )
    limits: Limits = Limits()
