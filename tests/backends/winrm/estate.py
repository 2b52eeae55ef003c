"""An estate: the CIM instances of one Windows host, as plain rows that a test may edit at any time."""

import re
import threading
from dataclasses import dataclass, field
from typing import Any

from tests.backends.winrm.cim import CLUSTER, CimClass, Property, guessed, schema, value_at
from tests.backends.winrm.clock import Clock
from tests.backends.winrm.wql import Select

Row = dict[str, Any]


@dataclass
class Estate:
    """What one host holds. `instances["Msvm_ComputerSystem"]` is a list of plain rows; absent properties are null.

    A value may be a Counter or an Ago (they move with the clock), a Reference, an Embedded, or a function without
    arguments. Rows may hold properties that the build lacks; they are not served. `__CLASS` names a subclass, by which
    `SELECT *` then calls the row.
    """

    name: str
    build: int = 2022
    clock: Clock = field(default_factory=Clock)
    instances: dict[str, list[Row]] = field(default_factory=dict)
    classes: dict[str, CimClass] = field(default_factory=dict)
    absent_namespaces: set[str] = field(default_factory=set)
    lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    def __post_init__(self) -> None:
        self.classes = {**schema(self.build), **self.classes}
        self.instances.setdefault("Win32_ComputerSystem", [])

    def rows(self, class_name: str, **wanted: Any) -> list[Row]:
        """Rows of a class whose properties have these values."""
        found = self.instances.setdefault(class_name, [])
        return [row for row in found if all(row.get(name) == value for name, value in wanted.items())]

    def row(self, class_name: str, **wanted: Any) -> Row:
        """The one row of a class with these values, to be edited."""
        (found,) = self.rows(class_name, **wanted)
        return found

    def add(self, class_name: str, **properties: Any) -> Row:
        with self.lock:
            self.instances.setdefault(class_name, []).append(properties)
        return properties

    def remove(self, class_name: str, **wanted: Any) -> list[Row]:
        """Take rows away; returns them."""
        with self.lock:
            gone = self.rows(class_name, **wanted)
            lost = {id(row) for row in gone}  # in place: the nodes of a cluster share the lists of its classes
            self.instances[class_name][:] = [row for row in self.instances[class_name] if id(row) not in lost]
        return gone

    def drop(self, class_name: str, *properties: str) -> None:
        """Take properties away from a class, as if the build lacked them; without any, the whole class."""
        known = self.classes[class_name.lower()]
        if not properties:
            del self.classes[class_name.lower()]
            return
        gone = {name.lower() for name in properties}
        left = {name: kind for name, kind in known.properties.items() if name not in gone}
        self.classes[class_name.lower()] = CimClass(known.namespace, known.name, left)

    def has(self, namespace: str) -> bool:
        if namespace.lower() in {name.lower() for name in self.absent_namespaces}:
            return False
        if namespace.lower() == CLUSTER.lower():
            return bool(self.instances.get("MSCluster_Cluster"))
        return any(known.namespace.lower() == namespace.lower() for known in self.classes.values())

    def find_class(self, namespace: str, name: str) -> CimClass | None:
        found = self.classes.get(name.lower())
        return found if found and found.namespace.lower() == namespace.lower() else None

    def values(self, cim_class: CimClass, wanted: set[str] | None = None) -> list[Row]:
        """Rows of a class at this moment, with every property of the class or those `wanted`."""
        with self.lock:
            rows = [dict(row) for row in self.instances.get(cim_class.name, ())]
        kinds = [kind for name, kind in cim_class.properties.items() if wanted is None or name in wanted]
        return [
            {
                "__CLASS": row.get("__CLASS"),
                **{kind.name: value_at(row.get(kind.name), kind, self.clock) for kind in kinds},
            }
            for row in rows
        ]

    def selected(self, cim_class: CimClass, select: Select) -> list[Row]:
        """The rows that a query finds."""
        wanted = {name.lower() for name in (*select.columns, *select.named)} if select.columns else None
        rows = self.values(cim_class, wanted)
        if not select.named:
            return rows
        return [row for row in rows if select.where({name.lower(): value for name, value in row.items()})]

    def define(self, namespace: str, name: str, rows: list[Row], properties: list[Property] | None = None) -> None:
        """A class that the schema lacks, with its rows; properties are guessed by their values."""
        if properties is None:
            names = sorted({each for row in rows for each in row}, key=str.casefold)
            properties = [guessed(each, [row[each] for row in rows if row.get(each) is not None]) for each in names]
        self.classes[name.lower()] = CimClass(namespace, name, {kind.name.lower(): kind for kind in properties})
        self.instances[name] = rows


def is_guid(text: str) -> bool:
    """Whether a name is that of a guest rather than of a host."""
    return bool(re.fullmatch(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}", text))
