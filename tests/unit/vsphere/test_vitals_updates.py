"""What has changed: answers of WaitForUpdatesEx as the reference has them, also those the simulator never gives."""

import threading
from types import SimpleNamespace

import pytest

from collectors.vsphere.client.decode import Ref
from collectors.vsphere.client.faults import Fault, Refused
from collectors.vsphere.client.properties import Page
from collectors.vsphere.client.updates import Change, Changes, Update, parse
from collectors.vsphere.client.watch import Asking, Watch
from collectors.vsphere.findings import Findings
from collectors.vsphere.groups import inventory
from collectors.vsphere.groups.surroundings import Surroundings
from collectors.vsphere.memory import Memory
from collectors.vsphere.options import VsphereOptions
from exporter.contract import Deadline
from exporter.errors import TimedOut

VM, OTHER = Ref("VirtualMachine", "vm-1"), Ref("VirtualMachine", "vm-2")
DEVICES = "config.hardware.device"


def envelope(inner):
    return f"""<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"
      xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><e:Body>
      <WaitForUpdatesExResponse xmlns="urn:vim25">{inner}</WaitForUpdatesExResponse></e:Body></e:Envelope>""".encode()


def answer(version, *updates, truncated=False):
    sets = "".join(
        f'<objectSet><kind>{kind}</kind><obj type="VirtualMachine">{ref.id}</obj>{inner}</objectSet>'
        for kind, ref, inner in updates
    )
    more = "<truncated>true</truncated>" if truncated else ""
    return envelope(
        f"<returnval><version>{version}</version><filterSet><filter>f</filter>{sets}</filterSet>{more}</returnval>"
    )


def change(name, value=None, kind="xsd:string", op="assign"):
    told = "" if value is None else f'<val xsi:type="{kind}">{value}</val>'
    return f"<changeSet><name>{name}</name><op>{op}</op>{told}</changeSet>"


def test_values_removals_and_what_is_missing_are_told_apart():
    missing = (
        "<missingSet><path>guest.toolsRunningStatus</path><fault><fault xsi:type='NoPermission'/>"
        "<localizedMessage/></fault></missingSet>"
    )
    parts = (
        change("name", "web")
        + change("summary.config.numCpu", 4, "xsd:int")
        + change("runtime.bootTime")
        + change("runtime.question", op="indirectRemove")
        + change("summary.config.memorySizeMB", "much", "xsd:int")
        + missing
    )
    found = parse(answer("7", ("modify", VM, parts), truncated=True))
    assert (found.version, found.truncated) == ("7", True)
    (update,) = found.updates
    assert update.changes == [
        Change("name", "web"),
        Change("summary.config.numCpu", 4),
        Change("runtime.bootTime"),
        Change("runtime.question"),
    ]
    assert update.lost == [
        ("summary.config.memorySizeMB", "malformed"),
        ("guest.toolsRunningStatus", "NoPermission"),
    ]


def test_nothing_new_is_no_answer():
    assert parse(envelope("")) is None


class Wire:
    """Answers in turn; an exception is raised."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.sent = []

    def __call__(self, operation, body):
        self.sent.append((operation, body))
        if operation != "WaitForUpdatesEx":
            return b""
        found = self.answers.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    @property
    def versions(self):
        """The versions that were named, "" for none."""
        bodies = [body for operation, body in self.sent if operation == "WaitForUpdatesEx"]
        return [body.partition("<version>")[2].partition("</version>")[0] for body in bodies]


def watch(wire):
    made = iter(["c1", "c2", "c3"])
    found, ended = Watch(), []
    asking = Asking(wire, lambda: next(made), lambda collector: f"filter of {collector}", ended.append)
    return SimpleNamespace(changes=lambda: found.changes(asking), ended=ended)


def test_pages_go_on_where_the_last_ended_and_the_last_tells_what_there_is():
    wire = Wire(
        answer("1", ("enter", VM, ""), truncated=True), answer("2", ("enter", OTHER, "")), envelope(""), answer("3")
    )
    asked = watch(wire)
    assert asked.changes().everything is None
    assert asked.changes().everything == {VM, OTHER}
    assert [asked.changes().everything, asked.changes().everything] == [None, None]
    assert wire.versions == ["", "1", "2", "2"]


def test_an_object_that_leaves_while_pages_are_read_is_not_there():
    asked = watch(Wire(answer("1", ("enter", VM, ""), truncated=True), answer("2", ("leave", VM, ""))))
    asked.changes()
    assert asked.changes().everything == frozenset()


def test_a_version_that_the_endpoint_has_forgotten_begins_anew():
    pruned = Refused("WaitForUpdatesEx", Fault("InvalidCollectorVersion", "", {}))
    wire = Wire(answer("1", ("enter", VM, "")), pruned, answer("9", ("enter", OTHER, "")))
    asked = watch(wire)
    asked.changes()
    assert asked.changes().everything == {OTHER}
    assert wire.versions == ["", "1", ""]
    assert asked.ended == ["c1"]


def test_after_a_lost_answer_everything_is_told_anew():
    wire = Wire(answer("1", ("enter", VM, "")), TimedOut("late"), answer("5", ("enter", VM, "")))
    asked = watch(wire)
    asked.changes()
    with pytest.raises(TimedOut):
        asked.changes()
    assert asked.changes().everything == {VM}
    assert wire.versions == ["", "1", ""]


class Lane:
    """Tells prepared changes, and what it is asked again."""

    def __init__(self, *changes, again=None):
        self.service = SimpleNamespace(vcenter=True)
        self._changes = list(changes)
        self._again = again or {}
        self.asked = []
        self.anew = 0

    def changes(self, _paths, _shapes):
        return self._changes.pop(0)

    def tell_anew(self):
        self.anew += 1

    def some(self, refs, paths, _shapes):
        if isinstance(self._again, Exception):
            raise self._again
        self.asked.append((list(refs), paths))
        yield Page({ref: self._again[ref] for ref in refs if ref in self._again})


def entered(*refs, **facts):
    changes = [Change(path.replace("__", "."), value) for path, value in facts.items()]
    found = Changes("1", updates=[Update(ref, "enter", list(changes)) for ref in refs])
    found.everything = frozenset(refs)
    return found


def modified(*changes, ref=VM, kind="modify"):
    return Changes("2", updates=[Update(ref, kind, list(changes))])


def followed(lane, times):
    around = Surroundings(lane, Memory(), Findings(), Deadline.after(60), VsphereOptions(), 0.0)
    for _ in range(times):
        assert inventory.follow(around, Deadline.after(60))
    return around


@pytest.mark.parametrize(
    ("path", "read"),
    [
        (f"{DEVICES}[2000].capacityInKB", [DEVICES]),
        (f'{DEVICES}["2000"]', [DEVICES]),
        ("config.hardware", [DEVICES]),
        ("runtime.question.text", ["runtime.question"]),
        ("config.cpuAllocation", ["config.cpuAllocation.limit", "config.cpuAllocation.reservation"]),
    ],
)
def test_a_change_above_or_below_what_is_followed_is_read_again(path, read):
    new = dict.fromkeys(read, "new")
    lane = Lane(entered(VM, name="a"), modified(Change(path, 5)), again={VM: new})
    around = followed(lane, 2)
    assert lane.asked == [([VM], {"VirtualMachine": read})]
    assert around.memory.slow[VM] == {"name": "a", **new}


def test_a_change_that_could_not_be_read_again_is_told_anew():
    lane = Lane(entered(VM, name="a"), modified(Change("config.hardware", 5)), again=TimedOut("late"))
    with pytest.raises(TimedOut):
        followed(lane, 2)
    assert lane.anew == 1


def slow_lane(around, lane):
    return Surroundings(lane, around.memory, Findings(), Deadline.after(60), around.options, around.now)


def test_an_inventory_that_vitals_have_read_is_not_read_again_by_the_slow_lane():
    around = followed(Lane(entered(VM, name="a")), 1)
    inventory.refresh(slow_lane(around, Lane()))
    assert around.memory.slow == {VM: {"name": "a"}}


def test_an_inventory_that_the_slow_lane_has_read_is_not_read_again_by_vitals():
    around = followed(Lane(modified(Change("name", "b"))), 0)
    inventory.refresh(slow_lane(around, Lane(entered(VM, OTHER, name="a"))))
    assert inventory.follow(around, Deadline.after(60))
    assert around.memory.slow == {VM: {"name": "b"}, OTHER: {"name": "a"}}


def test_both_lanes_read_the_pages_of_the_first_answer_in_turns():
    first = Changes("1", truncated=True, updates=[Update(VM, "enter", [Change("name", "a")])])
    last = Changes("2", updates=[Update(OTHER, "enter", [Change("name", "b")])], everything=frozenset([VM, OTHER]))
    pages, threads = Pages([first, last]), []
    around = followed(pages, 0)
    for act in (lambda: inventory.follow(around, Deadline.after(60)), lambda: inventory.refresh(around)):
        threads.append(threading.Thread(target=act))
        threads[-1].start()
    for thread in threads:
        thread.join(60)
    assert around.memory.slow == {VM: {"name": "a"}, OTHER: {"name": "b"}}
    assert pages.most_at_once == 1


class Pages(Lane):
    """Prepared pages for two lanes; nothing new after them."""

    def __init__(self, pages):
        super().__init__(*pages)
        self._now = self.most_at_once = 0

    def changes(self, _paths, _shapes):
        self._now += 1
        self.most_at_once = max(self.most_at_once, self._now)
        found = self._changes.pop(0) if self._changes else Changes("2")
        self._now -= 1
        return found


def test_an_inventory_that_could_not_be_read_to_its_end_is_no_inventory_for_the_slow_lane():
    around = followed(Lane(), 0)
    late = Surroundings(
        Lane(entered(VM, name="a")), around.memory, Findings(), Deadline.after(0), around.options, around.now
    )
    with pytest.raises(TimedOut, match="inventory"):
        inventory.refresh(late)


def test_what_the_slow_lane_hears_to_be_gone_is_forgotten_by_vitals():
    around = followed(Lane(Changes("3")), 0)
    around.memory.uuids |= {VM: "1", OTHER: "2"}
    told = entered(VM, OTHER, name="a")
    told.updates.append(Update(VM, "leave"))
    told.everything = frozenset([OTHER])
    inventory.refresh(slow_lane(around, Lane(told)))
    assert around.memory.uuids == {VM: "1", OTHER: "2"}
    inventory.follow(around, Deadline.after(60))
    assert around.memory.uuids == {OTHER: "2"}


def test_what_is_not_there_when_it_is_read_again_is_unset():
    lane = Lane(entered(VM, name="a", runtime__question={"id": "1"}), modified(Change("runtime.question.id")))
    lane._again = {VM: {}}
    assert followed(lane, 2).memory.slow[VM] == {"name": "a"}


def test_a_change_of_something_else_is_not_read():
    lane = Lane(entered(VM, name="a"), modified(Change("guest.net", 5), Change("namespace", 1)))
    around = followed(lane, 2)
    assert (lane.asked, around.memory.slow[VM]) == ([], {"name": "a"})


def test_an_object_that_enters_again_is_what_it_is_now():
    lane = Lane(entered(VM, name="a", guest__toolsRunningStatus="x"), modified(Change("name", "b"), kind="enter"))
    assert followed(lane, 2).memory.slow[VM] == {"name": "b"}


def test_what_left_is_forgotten_and_what_did_not_come_back_too():
    lane = Lane(entered(VM, OTHER, name="a"), modified(kind="leave"), entered(VM, name="c"))
    around = followed(lane, 2)
    assert set(around.memory.slow) == {OTHER}
    assert inventory.follow(around, Deadline.after(60))
    assert around.memory.slow == {VM: {"name": "c"}}


def test_a_path_that_may_not_be_read_is_a_problem_of_every_collection_until_it_may():
    denied = Changes("1", updates=[Update(VM, "enter", [], [("config.uuid", "NoPermission")])])
    around = followed(Lane(denied, Changes("1"), modified(Change("config.uuid", "x"))), 2)
    for expected in (["missing_right"], []):
        around = Surroundings(around.lane, around.memory, Findings(), around.deadline, around.options, around.now)
        inventory.note_lost(around)
        assert [problem.name for problem in around.findings.problems] == expected
        if expected:
            inventory.follow(around, Deadline.after(60))


def test_other_lanes_do_not_see_an_inventory_while_it_changes():
    around = followed(Lane(entered(VM, name="a"), modified(Change("name", "b"))), 1)
    before = around.memory.slow
    inventory.follow(around, Deadline.after(60))
    assert (before[VM], around.memory.slow[VM]) == ({"name": "a"}, {"name": "b"})
