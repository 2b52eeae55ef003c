"""No call of libvirt outside the two lists exists, compared with what libvirt-python offers."""

import ast
from pathlib import Path

import pytest

import collectors.libvirt
from collectors.libvirt.client.calls import ALLOWED
from collectors.libvirt.client.writing import WRITING
from collectors.libvirt.platform import PLATFORM
from tests.integration.libvirt_world import world

libvirt = pytest.importorskip("libvirt")

FOLDER = Path(collectors.libvirt.__file__).parent
LISTED = {method for calls in (ALLOWED, WRITING) for methods in calls.values() for method in methods}
WITHOUT_A_REQUEST = {"UUIDString", "name", "ID", "getName", "isAlive", "close", "setKeepAlive"}
MODULE = {
    "open", "openReadOnly", "openAuth", "libvirtError", "registerErrorHandler",
    "virEventRegisterDefaultImpl", "virEventRunDefaultImpl", "virEventAddTimeout", "virEventRemoveTimeout",
}  # fmt: skip
NEVER = {"agentSetResponseTimeout", "setMemoryStatsPeriod", "qemuMonitorCommand", "qemuAgentCommand"}
SOCKETS = "wire.py"
"""Shuts down sockets and knows nothing of libvirt's objects."""
NAMED_ALIKE = {"path", "open"}  # a part of a URI, a file


def offered(*, of_classes):
    """Public names of libvirt's classes, or functions of its module."""
    classes = [each for name, each in vars(libvirt).items() if isinstance(each, type) and name.startswith("vir")]
    if of_classes:
        return {name for each in classes for name in vars(each) if not name.startswith("_")}
    return {name for name, each in vars(libvirt).items() if callable(each) and not isinstance(each, type)}


def trees():
    return {path.relative_to(FOLDER): ast.parse(path.read_text()) for path in FOLDER.rglob("*.py")}


def attributes(tree):
    return {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}


def strings(tree):
    return {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def test_what_the_client_names_of_libvirt_is_on_a_list():
    methods = offered(of_classes=True)
    assert methods >= LISTED, "the lists name what exists"
    for path, tree in trees().items():
        if path.parts[0] != "client" or path.name == SOCKETS:
            continue
        assert attributes(tree) & methods <= LISTED | WITHOUT_A_REQUEST | NAMED_ALIKE, path
        if path.name != "calls.py":
            assert strings(tree) & methods <= LISTED, path


def test_outside_the_client_nobody_touches_the_objects_of_libvirt():
    for path, tree in trees().items():
        if path.parts[0] != "client":
            touched = [node.value for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
            assert not [each for each in touched if isinstance(each, ast.Attribute) and each.attr == "handle"], path


def test_what_the_client_takes_from_the_module_opens_and_listens_only():
    used = {
        node.attr
        for tree in trees().values()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "libvirt"
    }
    assert used <= MODULE
    assert "openReadOnly" in used
    imported = {
        alias.name
        for tree in trees().values()
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    assert not {"libvirt_qemu", "libvirt_lxc", "libvirtaio", "libvirtmod"} & imported


def test_some_calls_are_never_made():
    for path, tree in trees().items():
        assert not NEVER & (attributes(tree) | strings(tree)), path


def test_every_call_of_the_first_list_works_without_the_right_to_write():
    assert not {name for calls in ALLOWED.values() for name in calls} & {"guestInfo", "fsInfo", "refresh", "hostname"}


def test_nothing_is_opened_to_write_unless_asked_for(monkeypatch):
    def refuse(*_):
        raise AssertionError("a connection that may write was opened")

    monkeypatch.setattr(libvirt, "open", refuse)
    monkeypatch.setattr(libvirt, "openAuth", refuse)
    with world("test:///default") as session:
        for group in PLATFORM.groups:
            session.collect(group)
        assert "virConnectOpen" not in session.meter.take()
