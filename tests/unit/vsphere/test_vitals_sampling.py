"""How much is asked at once, and what becomes of objects that cannot be asked: queries against a scripted endpoint."""

from types import SimpleNamespace

import pytest

from collectors.vsphere.client.decode import Ref
from collectors.vsphere.client.faults import Busy, Fault, Refused
from collectors.vsphere.client.performance import Sampled, Window
from collectors.vsphere.findings import Findings
from collectors.vsphere.groups import sampling
from collectors.vsphere.groups.surroundings import Surroundings
from collectors.vsphere.memory import Memory
from collectors.vsphere.options import VsphereOptions
from exporter.contract import Deadline
from exporter.errors import Forbidden, TimedOut

GUESTS = [Ref("VirtualMachine", f"vm-{number}") for number in range(400)]


class Endpoint:
    """Answers queries; `refuse` tells the error for a query, or None."""

    generation = 1

    def __init__(self, refuse=lambda _refs: None):
        self.refuse = refuse
        self.sizes = []
        self.learned = 0

    def counters(self):
        self.learned += 1
        return {"cpu.run.summation": 7, "cpu.ready.summation": 8}

    def samples(self, wanted):
        refs = [each.entity for each in wanted]
        self.sizes.append(len(refs))
        error = self.refuse(refs)
        if error is not None:
            raise error
        return [Sampled(ref, Window((20.0,), 20.0)) for ref in refs]


class Vitals:
    """Collections of samples that remember as a session does."""

    def __init__(self, endpoint):
        self.endpoint, self.memory, self.now = endpoint, Memory(), 0.0
        self.findings = Findings()

    def read(self, seconds=60):
        self.findings = Findings()
        deadline = Deadline.after(seconds)
        around = Surroundings(self.endpoint, self.memory, self.findings, deadline, VsphereOptions(), self.now)
        reading = sampling.read_samples(around, GUESTS, deadline)
        sampling.commit(around, reading)
        self.now += 30
        return reading

    @property
    def problems(self):
        return {problem.name: problem.count for problem in self.findings.problems}


def refused(name, **details):
    return Refused("QueryPerf", Fault(name, "", details))


def too_many(limit):
    return lambda refs: refused("RestrictedByAdministrator") if 2 * len(refs) > limit else None


def test_what_an_endpoint_bears_is_learned_and_then_kept_to():
    vitals = Vitals(Endpoint(too_many(100)))
    assert vitals.read().samples.keys() == set(GUESTS)
    for _ in range(8):
        vitals.read()
    vitals.endpoint.sizes.clear()
    vitals.read()
    sizes = vitals.endpoint.sizes
    assert max(sizes) <= 50  # none is refused any more
    assert len(sizes) <= 12  # and few are smaller than they may be: eight would do


def test_queries_grow_while_they_are_quick_and_shrink_when_they_are_slow(monkeypatch):
    clock = SimpleNamespace(at=0.0, step=0.1)

    def monotonic():
        clock.at += clock.step
        return clock.at

    vitals = Vitals(Endpoint())
    vitals.memory.portion.metrics = 40
    monkeypatch.setattr(sampling, "time", SimpleNamespace(monotonic=monotonic))
    vitals.read()
    assert vitals.endpoint.sizes[0] < vitals.endpoint.sizes[1] < vitals.endpoint.sizes[2]
    grown = vitals.memory.portion.metrics
    clock.step = 5.0
    vitals.read(seconds=1000)
    assert vitals.memory.portion.metrics == sampling.LEAST_IN_TROUBLE < grown


@pytest.mark.parametrize("error", [Busy("503"), TimedOut("late")])
def test_an_endpoint_in_trouble_is_left_alone_until_the_next_collection_which_goes_on_there(error):
    answers = iter([None, error])
    vitals = Vitals(Endpoint(lambda _refs: next(answers, None)))
    vitals.memory.portion.metrics = 200
    reading = vitals.read()
    assert len(vitals.endpoint.sizes) == 2
    assert set(reading.samples) | set(reading.left) == set(GUESTS)
    assert vitals.memory.portion.metrics == vitals.endpoint.sizes[1]  # of two metrics each: half of what was asked
    first = []
    vitals.endpoint.refuse = lambda refs: first.extend(refs) if not first else None
    assert vitals.read().left == []
    assert set(first) <= set(reading.left)


def test_however_little_is_answered_everyone_has_a_turn():
    vitals = Vitals(Endpoint())
    vitals.read()
    vitals.endpoint.sizes.clear()
    vitals.endpoint.refuse = lambda _refs: Busy("503") if len(vitals.endpoint.sizes) % 2 == 0 else None
    read = set()
    for _ in range(len(GUESTS)):
        vitals.memory.portion.metrics = 200
        read |= set(vitals.read().samples)
    assert read == set(GUESTS)


@pytest.mark.parametrize("fault", ["InvalidState", "SystemError", "RestrictedByAdministrator"])
def test_one_sick_object_is_found_in_few_queries_and_asked_again_after_a_while(fault):
    sick = GUESTS[123]
    vitals = Vitals(Endpoint(lambda refs: refused(fault) if sick in refs else None))
    vitals.memory.portion.metrics = 800
    reading = vitals.read()
    assert set(reading.samples) == set(GUESTS) - {sick}
    assert vitals.problems == {"object_inaccessible": 1}
    assert len(vitals.endpoint.sizes) < 20
    vitals.endpoint.sizes.clear()
    vitals.read()
    assert sum(vitals.endpoint.sizes) == len(GUESTS) - 1
    assert vitals.memory.portion.ceiling == sampling.MOST  # it was not the size
    assert vitals.problems == {"object_inaccessible": 1}
    vitals.endpoint.refuse = lambda _refs: None
    vitals.now += sampling.REST_SECONDS
    assert sick in vitals.read().samples
    assert vitals.problems == {}


@pytest.fixture
def scripted(monkeypatch):
    """Collections every 30 s of a clock that only they move."""
    vitals = Vitals(Endpoint())
    monkeypatch.setattr(sampling, "time", SimpleNamespace(monotonic=lambda: vitals.now))
    return vitals


def asked_at(vitals, until):
    """When something was asked until then."""
    found = []
    while vitals.now < until:
        before = len(vitals.endpoint.sizes)
        vitals.read()
        if len(vitals.endpoint.sizes) > before:
            found.append(vitals.now - 30)
    return found


def test_an_endpoint_in_trouble_is_asked_again_after_as_long_as_it_has_been_in_trouble(scripted):
    scripted.read()
    scripted.endpoint.refuse = lambda _refs: refused("SystemError")
    assert asked_at(scripted, 2000) == [30, 90, 180, 360, 720, 1320, 1920]
    assert scripted.problems == {"object_inaccessible": len(GUESTS)}


def test_after_a_short_trouble_everyone_is_read_again_soon(scripted):
    scripted.read()
    scripted.endpoint.refuse = lambda _refs: refused("SystemError")
    scripted.read()
    scripted.endpoint.refuse = lambda _refs: None
    assert asked_at(scripted, 120) == [90]
    assert scripted.read().samples.keys() == set(GUESTS)
    # What was troubled long ago begins with a short rest again.
    scripted.endpoint.refuse = lambda _refs: refused("SystemError")
    assert asked_at(scripted, 260) == [150, 210]


def test_what_never_answered_is_asked_again_once_soon_and_then_seldom(scripted):
    scripted.endpoint.refuse = lambda _refs: refused("SystemError")
    assert asked_at(scripted, 1300) == [0, 60, 660, 1260]


def test_an_account_without_the_right_costs_a_few_queries_once_in_a_while():
    vitals = Vitals(Endpoint(lambda _refs: Forbidden("the account may not", right="System.Read")))
    for _ in range(3):
        vitals.read()
        assert vitals.problems == {"missing_right": len(GUESTS)}
    assert len(vitals.endpoint.sizes) <= sampling.MOST_FAILURES + 1


def test_counters_that_have_other_numbers_after_an_upgrade_are_learned_anew():
    answers = iter([refused("InvalidArgument")])
    vitals = Vitals(Endpoint(lambda _refs: next(answers, None)))
    assert vitals.read().samples.keys() == set(GUESTS)
    assert (vitals.endpoint.learned, vitals.problems) == (2, {})
    vitals.endpoint.generation = 2
    vitals.read()
    assert vitals.endpoint.learned == 3


def test_objects_that_are_deleted_are_gone_and_cost_the_others_nothing():
    gone = [GUESTS[3], GUESTS[200]]

    def refuse(refs):
        found = [ref for ref in gone if ref in refs]
        return refused("ManagedObjectNotFound", obj=found[0].id) if found else None

    vitals = Vitals(Endpoint(refuse))
    reading = vitals.read()
    assert (reading.gone, set(reading.samples)) == (set(gone), set(GUESTS) - set(gone))
    assert vitals.problems == {}
