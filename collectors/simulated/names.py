"""What people call their machines, including what they should not."""

from __future__ import annotations

SITES = ("ham", "lej", "graz", "basel", "utr", "aar", "turku", "brno", "porto", "lyon")
ROLES = (
    ("web", 2, 4, "Debian GNU/Linux 12 (64-bit)"),
    ("app", 4, 8, "Red Hat Enterprise Linux 9 (64-bit)"),
    ("db", 8, 32, "Oracle Linux 9 (64-bit)"),
    ("cache", 2, 16, "Debian GNU/Linux 12 (64-bit)"),
    ("mail", 4, 8, "Ubuntu Linux 24.04 (64-bit)"),
    ("files", 2, 8, "Microsoft Windows Server 2022 (64-bit)"),
    ("dc", 2, 4, "Microsoft Windows Server 2022 (64-bit)"),
    ("build", 8, 16, "Fedora Linux (64-bit)"),
    ("k8s", 4, 16, "Ubuntu Linux 24.04 (64-bit)"),
    ("sap", 8, 48, "SUSE Linux Enterprise 15 (64-bit)"),
    ("print", 2, 4, "Microsoft Windows Server 2019 (64-bit)"),
    ("monitor", 2, 8, "Debian GNU/Linux 12 (64-bit)"),
)
NASTY = (
    'the "new" web server',
    "größer als 😀 (do not touch!)",
    "payroll  2019 ",
    "C:\\legacy\\erp",
    "it's {complicated}, $HOME & 100% <b>bold</b>",
    "数据库-01",
)
"""Quotes, an emoji, blanks at the end, backslashes, markup, another script."""
NETWORKS = ("prod", "dmz", "backup", "office")
FORGOTTEN = ("before upgrade", "do not delete", "test", "vor dem Umzug", "Snapshot 1")
BRANCHES = ("clean install", "configured", "before patch", "after patch", "patch that failed")
VENDORS = (("Dell Inc.", "PowerEdge R760"), ("HPE", "ProLiant DL380 Gen11"), ("Lenovo", "ThinkSystem SR650 V3"))
CPU = "Intel(R) Xeon(R) Gold 6430"
