"""What is asked over one lane: a view of the inventory, a property collector of its own, and the questions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from collectors.vsphere.client import login, performance, privileges, properties, updates
from collectors.vsphere.client.decode import NO_SHAPES, Ref, Shapes
from collectors.vsphere.client.faults import Refused
from collectors.vsphere.client.login import Service
from collectors.vsphere.client.performance import Sampled, Wanted
from collectors.vsphere.client.properties import Page
from collectors.vsphere.client.stub import stub
from collectors.vsphere.client.updates import Changes
from collectors.vsphere.client.versions import known, support
from collectors.vsphere.client.watch import Asking, Watch
from collectors.vsphere.client.wire import Wire
from exporter.errors import Forbidden, Unsupported

_INVALID_PROPERTY = "InvalidProperty"


@dataclass(slots=True)
class Shared:
    """What both lanes of a session use, one at a time."""

    watch: Watch | None = None


class Lane:
    """Questions of one lane within one session (`generation`); views and collectors die with the session."""

    def __init__(self, wire: Wire, service: Service, version: str, generation: int, shared: Shared) -> None:
        self._wire = wire
        self.service = service
        self.version = version
        self.generation = generation
        self._views: dict[tuple[str, ...], str] = {}
        self._collector = ""
        self._refused: set[tuple[str, str]] = set()
        """Type and path of properties that this endpoint does not know, whatever its version says."""
        self._shared = shared

    def within(self, seconds: float) -> None:
        """Let every call from now on end within so many seconds."""
        self._wire.until(seconds)

    def now(self) -> float:
        """The endpoint's clock, Unix seconds."""
        return login.current_time(self._wire)

    def every(
        self, paths: Mapping[str, Sequence[str]], shapes: Shapes = NO_SHAPES, most: int = properties.PAGE_OBJECTS
    ) -> Iterator[Page]:
        """Properties of every object of these types, page by page of at most so many objects."""
        view = tuple(sorted(paths))
        yield from self._retrieve(
            lambda: properties.specification(self._view(view), self.pruned(paths)), paths, shapes, most
        )

    def these(self, objects: Sequence[Ref], paths: Mapping[str, Sequence[str]]) -> Iterator[Page]:
        """Properties of some objects, page by page."""
        if objects:
            yield from self._retrieve(lambda: properties.of_objects(objects, self.pruned(paths)), paths)

    def some(
        self, objects: Sequence[Ref], paths: Mapping[str, Sequence[str]], shapes: Shapes = NO_SHAPES
    ) -> Iterator[Page]:
        """Properties of those of some objects that still exist, page by page."""
        if objects:
            wanted = {kind: paths[kind] for kind in sorted({each.kind for each in objects})}
            yield from self._retrieve(
                lambda: updates.existing(properties.of_objects(objects, self.pruned(wanted))), wanted, shapes
            )

    def changes(self, paths: Mapping[str, Sequence[str]], shapes: Shapes = NO_SHAPES) -> Changes:
        """What has changed in the properties of every object of these types since either lane asked last.

        The first answers tell everything there is. Only one lane may ask at a time.
        """
        if self._shared.watch is None:
            self._shared.watch = Watch()
        asking = Asking(self._post_own, self._new_collector, lambda of: self._filter(of, paths), self._end, shapes)
        return self._shared.watch.changes(asking)

    def samples(self, wanted: Sequence[Wanted]) -> list[Sampled]:
        """Realtime samples of some objects in one call."""
        body = performance.query(self.service.performance, wanted)
        return performance.parse(self._wire.post("QueryPerf", body))

    def lacking(self, objects: Sequence[Ref], wanted: Sequence[str]) -> tuple[str, list[tuple[Ref, str]]]:
        """The session's account as the endpoint calls it, and which of these privileges it lacks on which object."""
        manager = Ref("SessionManager", self.service.sessions)
        held: dict[Ref, dict[str, Any]] = {}
        for page in self.these([manager], {manager.kind: ["currentSession"]}):
            held |= page.objects
        user = str((held.get(manager, {}).get("currentSession") or {}).get("userName") or "")
        if not user:
            raise Unsupported(f"{self._wire.address} does not tell who we are (SessionManager.currentSession)")
        return user, list(privileges.missing(self._wire, self.service.rights, user, objects, wanted))

    def counters(self) -> dict[str, int]:
        """Ids of the performance counters by name, `cpu.ready.summation`."""
        manager = Ref("PerformanceManager", self.service.performance)
        found: dict[str, int] = {}
        for page in self.these([manager], {manager.kind: ["perfCounter"]}):
            for each in page.objects.get(manager, {}).get("perfCounter", ()):
                name = f"{each['groupInfo']['key']}.{each['nameInfo']['key']}.{each['rollupType']}"
                found.setdefault(name, each["key"])
        return found

    def pruned(self, paths: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
        """The paths that this version of the API, and this very endpoint, know."""
        return {
            kind: [path for path in of_kind if known(kind, path, self.version) and (kind, path) not in self._refused]
            for kind, of_kind in paths.items()
        }

    def tell_anew(self) -> None:
        """Have the next changes tell everything there is, as if nothing had been told."""
        if self._shared.watch is not None:
            self._shared.watch.start_over()

    def _post_own(self, operation: str, body: str) -> bytes:
        return self._wire.post(operation, body, session_objects=True)

    def _end(self, collector: str) -> None:
        """Destroy a collector; one that is gone, or cannot be destroyed, ends with the session."""
        with suppress(Refused, Forbidden):
            self._wire.post("DestroyPropertyCollector", updates.destroy(collector))

    def _filter(self, collector: str, paths: Mapping[str, Sequence[str]]) -> str:
        while True:
            wanted = self.pruned(paths)
            specification = properties.specification(self._view(tuple(sorted(wanted))), wanted)
            try:
                answer = self._post_own("CreateFilter", updates.create_filter(collector, specification))
            except Refused as error:
                if not self._dropped(error, paths):
                    raise
            else:
                return updates.parse_filter(answer)

    def _retrieve(
        self,
        specification: Callable[[], str],
        paths: Mapping[str, Sequence[str]],
        shapes: Shapes = NO_SHAPES,
        most: int = properties.PAGE_OBJECTS,
    ) -> Iterator[Page]:
        page = self._first(specification, paths, shapes, most)
        yield page
        while page.token:
            body = properties.go_on(self._own_collector(), page.token)
            page = properties.parse(self._wire.post("ContinueRetrievePropertiesEx", body, session_objects=True), shapes)
            yield page

    def _first(
        self, specification: Callable[[], str], paths: Mapping[str, Sequence[str]], shapes: Shapes, most: int
    ) -> Page:
        while True:
            body = properties.retrieve(self._own_collector(), specification(), most)
            try:
                return properties.parse(self._wire.post("RetrievePropertiesEx", body, session_objects=True), shapes)
            except Refused as error:
                if not self._dropped(error, paths):
                    raise

    def _dropped(self, error: Refused, paths: Mapping[str, Sequence[str]]) -> bool:
        """Whether the fault named properties that can be left out: by their path, or by a part of it."""
        name = error.fault.details.get("name", "")
        if error.fault.name != _INVALID_PROPERTY or not name:
            return False
        asked = [(kind, path) for kind, of_kind in self.pruned(paths).items() for path in of_kind]
        for fits in (str.__eq__, _lies_below, _ends_with):
            refused = {(kind, path) for kind, path in asked if fits(path, name)}
            if refused:
                self._refused |= refused
                return True
        return False

    def _own_collector(self) -> str:
        if not self._collector:
            self._collector = self._new_collector()
        return self._collector

    def _new_collector(self) -> str:
        theirs = support().types.vmodl.query.PropertyCollector(self.service.collector, stub(self._wire))
        return login.created(theirs.CreatePropertyCollector(), "CreatePropertyCollector")

    def _view(self, kinds: tuple[str, ...]) -> str:
        if kinds not in self._views:
            vim = support().types.vim
            caller = stub(self._wire)
            manager, root = vim.view.ViewManager(self.service.views, caller), vim.Folder(self.service.root, caller)
            made = manager.CreateContainerView(root, [getattr(vim, kind) for kind in kinds], True)
            self._views[kinds] = login.created(made, "CreateContainerView")
        return self._views[kinds]


def _lies_below(path: str, name: str) -> bool:
    return path.startswith(f"{name}.")


def _ends_with(path: str, name: str) -> bool:
    return path.endswith(f".{name}")
