"""Runbooks: one for each alert, and whatever they name exists."""

import dataclasses
import re
import subprocess
from functools import cache

import promql_parser
import pytest

from collectors.hyperv.families import FAMILIES as OF_HYPERV
from collectors.libvirt.families import FAMILIES as OF_LIBVIRT
from collectors.vsphere.families import FAMILIES as OF_VSPHERE
from dashboards.rules.forms import Record
from dashboards.rules.settings import Settings
from dashboards.rules.text import groups, rules_text
from exporter.catalogue import SHARED
from exporter.cli import main
from tests.backends.estate import move_disk
from tests.backends.libvirt_lab import LibvirtLab
from tests.backends.need import need
from tests.backends.past import Past
from tests.backends.prometheus import BINARIES
from tests.backends.vcenter import BUILT
from tests.rules.pages import INDEX, Page, alerts, anywhere, pages

PAGES = pages()
EVERY = [*PAGES.values(), Page(INDEX)]
SECTIONS = ["Meaning", "Impact", "Diagnosis", "Mitigation"]
FAMILIES = {family.name for family in (*SHARED, *OF_LIBVIRT, *OF_VSPHERE, *OF_HYPERV)}
RECORDS = {rule.name for group in groups(Settings()) for rule in group.rules if isinstance(rule, Record)}
COMMANDS = ("rules", "serve", "check", "once", "plan", "metrics")
OF_VIRSH = {
    "--children",
    "--delete",
    "--maximum",
    "--metadata",
    "--no-metadata",
    "--shallow",
    "--top",
    "--base",
    "--wait",
}
"""Flags that stand alone in the text and are virsh's."""
each = pytest.mark.parametrize("page", EVERY, ids=lambda page: page.path.stem)


def test_there_is_a_page_for_each_alert_and_no_other():
    assert set(PAGES) == {alert.name for alert in alerts()}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_its_title_one_sentence_and_the_four_sections(name):
    page = PAGES[name]
    title, empty, sentence, after = page.text.splitlines()[:4]
    assert title == f"# {name}"
    assert (empty, after) == ("", "")
    assert sentence.endswith(".")
    assert page.heads == SECTIONS
    assert all(part.strip() for part in re.split(r"^## .+$", page.text, flags=re.MULTILINE))
    assert 25 <= page.text.count("\n") <= 60


def test_the_index_tells_of_each_alert_what_its_page_says():
    rows = re.findall(r"^\| \[(\w+)\]\((\w+)\.md\) \| (\w+) \| (.+) \|$", Page(INDEX).text, re.MULTILINE)
    expected = [
        (alert.name, alert.name, str(alert.severity), PAGES[alert.name].text.splitlines()[2]) for alert in alerts()
    ]
    assert rows == expected


@each
def test_families_and_recorded_series_exist(page):
    text = page.text.replace("hypervisor_exporter.", "")
    recorded = set(re.findall(r"\b\w+:hypervisor_\w+:\w+", text))
    named = set(re.findall(r"(?<![:\w])hypervisor_[a-z0-9_]+(?![*\w:])", text))
    assert recorded <= RECORDS
    assert {name for name in named if name not in FAMILIES} == set()
    for glob in re.findall(r"(?<![:\w])(hypervisor_[a-z0-9_*]*\*[a-z0-9_]*)", text):
        assert any(re.fullmatch(glob.replace("*", ".*"), name) for name in FAMILIES), glob


@each
def test_links_lead_somewhere(page):
    for link in page.links:
        target, _, anchor = link.partition("#")
        there = Page(page.path.parent / target) if target else page
        assert there.path.exists(), link
        assert not anchor or anchor in {head.lower().replace(" ", "-") for head in there.heads}, link


@each
def test_queries_are_promql(page):
    for query in page.queries:
        promql_parser.parse(query)


@pytest.fixture
def flags(capsys):
    """Flags of our commands."""
    found = {}
    for command in COMMANDS:
        with pytest.raises(SystemExit):
            main([command, "--help"])
        found[command] = set(re.findall(r"(?<![\w-])--[a-z][a-z.-]*", capsys.readouterr().out))
    return found


def test_our_commands_and_flags_exist(flags):
    known = set().union(*flags.values()) | OF_VIRSH
    for page in EVERY:
        for span in page.spans:
            if span.startswith("--"):
                assert {word for word in span.split() if word.startswith("--")} <= known, f"{page.path.stem}: {span}"
        for command, *words in page.commands("hypervisor-exporter"):
            assert {word for word in words if word.startswith("--")} <= flags[command], f"{page.path.stem}: {words}"


def test_every_limit_of_the_rules_is_explained_on_some_page(flags):
    text = "\n".join(page.text for page in EVERY)
    assert [
        flag
        for flag in flags["rules"] - {"--help", "--dashboard-url"}
        if f"`{flag}" not in text and f" {flag} " not in text
    ] == []


UNITS = {"": 1, "%": 0.01, "ms": 0.001, "s": 1, "minutes": 60, "hour": 3600, "day": 86400, "days": 86400}


def test_a_limit_that_a_page_tells_is_the_default():
    defaults = dataclasses.asdict(Settings())
    told = re.compile(r"`--([a-z-]+)` \(([\d.]+) ?([a-z%]*)[,)]")
    found = [(page, *match) for page in EVERY for match in told.findall(page.text)]
    assert len(found) > 30
    for page, flag, number, unit in found:
        assert float(number) * UNITS[unit] == pytest.approx(defaults[flag.replace("-", "_")]), (
            f"{page.path.stem}: {flag}"
        )


@cache
def virsh_flags(command):
    """Flags of a command of virsh; raises CalledProcessError where there is no such command."""
    run = subprocess.run(["virsh", "help", command], capture_output=True, text=True, check=True, timeout=30)
    return set(re.findall(r"--[a-z][a-z-]*", run.stdout))


def test_virsh_knows_its_commands_and_their_flags():
    need(["virsh"])
    for name, page in PAGES.items():
        for words in page.commands("virsh"):
            command, *others = words[2:] if words[0] == "-c" else words
            used = {word for word in others if word.startswith("--")}
            assert used <= virsh_flags(command), f"{name}: virsh {' '.join(words)}"


@cache
def govc_flags(command):
    """Flags of a command of govc with their defaults, none where there is no such command."""
    run = subprocess.run([BUILT / "govc", command, "-h"], capture_output=True, text=True, check=False, timeout=30)
    return (
        dict(re.findall(r"^  -([\w.-]+)=(\S*)", run.stdout + run.stderr, re.MULTILINE))
        if "Usage:" in run.stdout + run.stderr
        else {}
    )


def misplaced(command, words):
    """The first word of a call that govc would not understand as it is meant."""
    known = govc_flags(command)
    while words and words[0].startswith("-"):
        (flag, *words), name = words, words[0].lstrip("-").partition("=")[0]
        if name not in known:
            return flag
        takes_value = "=" not in flag and known[name] not in ("true", "false", "<nil>")
        if words and (takes_value or re.fullmatch(r"-?\d+", words[0])):
            words = words[1:]
    if command in ("find", "host.esxcli"):  # these read flags after their first argument
        return None
    return next((word for word in words if word.startswith("-") and word != "-"), None)


@pytest.mark.skipif(not (BUILT / "govc").exists(), reason="make vcsim")
def test_govc_knows_its_commands_and_flags_stand_before_what_they_are_about():
    for name, page in PAGES.items():
        for command, *words in page.commands("govc"):
            assert govc_flags(command), f"{name}: govc {command}"
            assert misplaced(command, words) is None, f"{name}: govc {command} {' '.join(words)}"


@pytest.mark.backend
def test_queries_are_answered_whatever_the_estate():
    """Of four platforms side by side: no join meets two series where it wants one."""
    need(BINARIES)
    looks = ("vsphere", "hyperv", "libvirt", "proxmox")
    targets = [
        {"name": look, "platform": f"simulated.{look}", "address": f"simulated://{look}", "options": {"guests": 12}}
        for look in looks
    ]
    with Past(targets, hours=0.5, rules=rules_text(Settings()), ruled_hours=0.2) as past:
        for page in PAGES.values():
            for query in page.queries:
                past.prometheus.query(anywhere(query), time=past.now)


DISK = (
    "<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='{}'/>"
    "<target dev='vda' bus='virtio'/></disk>"
)
WRITTEN = 65536


def act(lab, alert, **names):
    """Run what the page of an alert tells to do with virsh."""
    commands = [[names.get(word, word) for word in words] for words in PAGES[alert].mitigation("virsh")]
    assert commands
    return [lab.virsh(*words, timeout_seconds=60) for words in commands]


def holds_what_was_written(lab, image):
    """Whether an image has it itself; QEMU writes 0xcd."""
    try:
        lab.run("qemu-io", "-U", "-r", "-c", f"read -P 0xcd 0 {WRITTEN}", str(image))
    except subprocess.CalledProcessError as error:
        if "verification failed" in error.stdout:
            return False
        raise
    return True


@pytest.mark.backend
def test_what_the_pages_say_of_snapshots_happens_on_a_real_libvirt():
    need(["libvirtd", "virsh", "qemu-system-x86_64", "qemu-io"])
    with LibvirtLab() as lab:
        base = lab.image("base", "8M")
        lab.launch("web", paused=False, devices=DISK.format(base))
        for name in ("old", "new"):
            lab.virsh("snapshot-create-as", "web", name, "--disk-only")
        move_disk(lab, "web", "vda", WRITTEN)

        act(lab, "HypervisorSnapshotOld", GUEST="web", SNAPSHOT="old")
        assert lab.virsh("snapshot-list", "web", "--name").split() == ["new"]

        lab.virsh("snapshot-delete", "web", "new", "--metadata")  # what the page warns of
        assert lab.virsh("snapshot-list", "web", "--name").split() == []
        assert str(base) not in lab.virsh("domblklist", "web").split()
        assert not holds_what_was_written(lab, base)

        *_, disks = act(lab, "HypervisorOrphanedOverlays", GUEST="web", DISK="vda")
        assert str(base) in disks.split()
        assert holds_what_was_written(lab, base)
