"""Whose monitor may be asked, by what a scripted endpoint says of its guests' monitors."""

import threading

import pytest

from collectors.libvirt.answers import Domain, Node, Record
from collectors.libvirt.client.endpoint import Stats
from collectors.libvirt.client.errors import Gone
from collectors.libvirt.findings import Findings
from collectors.libvirt.groups.budget import Budget, Monitors
from collectors.libvirt.groups.guard import FREE, FREE_WHILE_STUCK, guarded
from collectors.libvirt.mapping.unmonitored import unmonitored
from exporter.contract import Deadline
from exporter.errors import Forbidden, TimedOut, Unreachable

ALL = Stats.STATE | Stats.VCPU | Stats.BALLOON | Stats.INTERFACE | Stats.BLOCK
OK, JOB, BUSY, STUCK, BROKEN = (0, 0, 0), (1, 0, 9000), (2, 0, 30), (2, 0, 2001), (3, 3, 0)


class Scripted:
    """Guests by name; each control answer is used once but the last."""

    def __init__(self, version=9_000_000, without_nowait=False, **control):
        self.without_nowait = without_nowait
        self.control_answers = {name: list(answers) for name, answers in control.items()}
        self.version = version
        self.asked = []

    def domains(self, _which=0):
        return [Domain(name, name, 1) for name in self.control_answers]

    def control(self, domain):
        answers = self.control_answers[domain.uuid]
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def bulk(self, domains, groups, _how=0):
        self.asked.append(("".join(domain.name for domain in domains), groups))
        return [Record(domain, {}) for domain in domains]

    def waits(self):
        return self.without_nowait

    def info(self, _domain):
        return 1, 4096, 2048, 2, 77

    def vcpus(self, _domain):
        return [(0, 1, 10**9, 0), (2, 1, 2 * 10**9, 1)]

    def disk_errors(self, _domain):
        return {"vda": 2}

    def job(self, _domain):
        return {"type": 2}

    def xml(self, _domain):
        return "<domain/>"

    def node(self):
        return Node("QEMU", libvirt_version=self.version)


def ask(groups=ALL, budget=None, **control):
    """What is asked of whom, the answers and the problems."""
    endpoint, findings = Scripted(**control), Findings()
    questions = guarded(endpoint, budget or Budget(sleep=lambda _: None), findings, Deadline.after(60))
    records = questions.bulk(questions.domains(), groups)
    return endpoint.asked, records, {each.name: each.count for each in findings.problems}


@pytest.mark.parametrize(
    ("control", "asked", "stuck"),
    [
        pytest.param({"a": [OK], "b": [OK]}, [("ab", ALL)], 0, id="all is well"),
        pytest.param({"a": [JOB], "b": [JOB], "c": [JOB]}, [("abc", ALL)], 0, id="a background job keeps nobody out"),
        pytest.param({"a": [BUSY], "b": [OK]}, [("ab", ALL)], 0, id="occupied for an instant"),
        pytest.param({"a": [STUCK], "b": [OK]}, [("b", ALL), ("a", FREE_WHILE_STUCK)], 1, id="one is stuck"),
        pytest.param({"a": [STUCK]}, [("a", FREE_WHILE_STUCK)], 1, id="nobody else is there"),
        pytest.param({"a": [STUCK], "b": [STUCK], "c": [OK]}, [("abc", FREE)], 2, id="two are stuck"),
        pytest.param({"a": [BUSY, OK], "b": [BUSY, OK]}, [("ab", ALL)], 0, id="two are asked by others and answer"),
        pytest.param({"a": [BUSY, STUCK], "b": [BUSY, STUCK]}, [("ab", FREE)], 2, id="two grow stuck"),
        pytest.param(
            {"a": [BROKEN], "b": [BROKEN], "c": [OK]}, [("c", ALL), ("ab", FREE)], 2, id="broken hold nobody up"
        ),
        pytest.param({"a": [None], "b": [None]}, [("ab", ALL)], 0, id="a driver that tells nothing of monitors"),
        pytest.param({"a": [Gone("off")], "b": [OK]}, [("ab", ALL)], 0, id="switched off since it was listed"),
    ],
)
def test_only_monitors_that_answer_are_asked(control, asked, stuck):
    seen, records, problems = ask(**control)
    assert seen == asked
    assert {record.domain.name for record in records} == control.keys()
    assert problems == ({"monitor_stuck": stuck} if stuck else {})


def test_a_broken_monitor_takes_no_place():
    """libvirt answers for it at once, with the error that broke it: nothing hangs there."""
    asked, _, problems = ask(a=[BROKEN], b=[BROKEN], c=[STUCK], d=[OK])
    assert asked == [("d", ALL), ("c", FREE_WHILE_STUCK), ("ab", FREE)]
    assert problems == {"monitor_stuck": 3}


@pytest.mark.parametrize("occupied", [BUSY, STUCK])
def test_where_libvirt_would_wait_nobody_who_is_asked_by_others_is_asked(occupied):
    endpoint = Scripted(without_nowait=True, a=[occupied], b=[OK])
    questions = guarded(endpoint, Budget(sleep=lambda _: None), Findings(), Deadline.after(60))
    records = questions.bulk(questions.domains(), ALL)
    assert endpoint.asked == [("b", ALL), ("a", FREE)]
    assert {record.domain.name: bool(record.stats) for record in records} == {"b": False, "a": True}


def test_groups_that_need_no_monitor_ask_nobody_about_it():
    endpoint = Scripted(a=[Unreachable("never asked")])
    questions = guarded(endpoint, Budget(), Findings(), Deadline.after(60))
    assert len(questions.bulk(questions.domains(), FREE)) == 1


def test_what_needs_the_monitor_only_is_not_asked_at_all_of_a_stuck_guest():
    assert ask(Stats.BLOCK, a=[STUCK], b=[OK])[0] == [("b", Stats.BLOCK)]
    assert ask(Stats.BLOCK, a=[STUCK], b=[STUCK])[0] == []


def test_who_may_not_ask_about_monitors_is_told_and_goes_on():
    asked, _, problems = ask(a=[Forbidden("no")])
    assert (asked, problems) == ([("a", ALL)], {"missing_right": 1})


def test_a_connection_that_breaks_meanwhile_ends_the_collection_and_frees_the_place():
    budget = Budget()
    with pytest.raises(Unreachable):
        ask(budget=budget, a=[Unreachable("gone")])
    assert budget.place(Monitors(), lambda _: Monitors()).__enter__() is not None


def test_without_monitors_the_processes_are_looked_at():
    _, records, _ = ask(a=[STUCK], b=[STUCK])
    expected = {"vcpu.current": 2, "vcpu.maximum": 3, "vcpu.0.time": 10**9, "vcpu.2.time": 2 * 10**9}
    assert records[0].stats == expected | {"balloon.maximum": 4096, "balloon.current": 2048}
    assert unmonitored((1, 4096, 2048, 0, 0), [])["vcpu.maximum"] == 0


def test_two_calls_under_way_are_all_there_may_be():
    waits = []
    budget = Budget(sleep=waits.append)
    nothing = Monitors()
    with budget.place(nothing, lambda _: nothing) as first, budget.place(nothing, lambda _: nothing) as second:
        assert first is not None
        assert second is not None
        with budget.place(nothing, lambda _: nothing) as third:
            assert third is None
        assert 2.9 < sum(waits) < 3.2, "as long as it takes to tell a slow answer from none"
        assert ask(budget=budget, a=[OK])[2] == {"monitor_stuck": 1}
    with budget.place(nothing, lambda _: nothing) as later:
        assert later is not None


def test_a_call_under_way_and_a_stuck_guest_are_two():
    budget, release = Budget(), threading.Event()
    held = budget.place(Monitors(), lambda _: Monitors())
    held.__enter__()
    assert ask(budget=Budget(sleep=lambda _: None), a=[STUCK], b=[OK])[0][0] == ("b", ALL)
    budget._sleep = lambda _: release.set()
    asked, _, _ = ask(budget=budget, a=[STUCK], b=[OK])
    assert (asked, release.is_set()) == ([("ab", FREE)], True)
    held.__exit__(None, None, None)
    assert ask(budget=budget, a=[STUCK], b=[OK])[0][0] == ("b", ALL)


def test_guests_that_take_longer_to_look_at_than_there_is_time_end_the_collection():
    questions = guarded(Scripted(a=[OK], b=[OK]), Budget(), Findings(), Deadline.after(0))
    with pytest.raises(TimedOut, match="looking at the monitors of 2 guests"):
        questions.bulk(questions.domains(), ALL)


@pytest.mark.parametrize(("question", "answer"), [("disk_errors", {"vda": 2}), ("job", {"type": 2})])
def test_single_questions_to_a_monitor_need_one_that_answers(question, answer):
    well = guarded(Scripted(a=[OK]), Budget(), Findings(), Deadline.after(60))
    assert getattr(well, question)(well.domains()[0]) == answer
    stuck = guarded(Scripted(a=[STUCK]), Budget(), Findings(), Deadline.after(60))
    with pytest.raises(TimedOut, match="monitors do not answer"):
        getattr(stuck, question)(stuck.domains()[0])


@pytest.mark.parametrize(
    ("version", "control", "refused"), [(9_000_000, STUCK, 0), (11_000_000, STUCK, 1), (11_000_000, OK, 0)]
)
def test_descriptions_of_stuck_guests_wait_since_libvirt_11(version, control, refused):
    questions = guarded(Scripted(version=version, a=[control]), Budget(), Findings(), Deadline.after(60))
    domain = questions.domains()[0]
    if refused:
        with pytest.raises(TimedOut, match="not answered for 2 s"):
            questions.xml(domain)
    else:
        assert questions.xml(domain) == "<domain/>"
