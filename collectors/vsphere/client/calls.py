"""Every call of the vSphere API that this platform makes. None can change a hypervisor.

Views and property collectors belong to our session and end with it.
"""

from __future__ import annotations

ALLOWED = frozenset({
    "RetrieveServiceContent",
    "CurrentTime",
    "Login",
    "Logout",
    "CreateContainerView",
    "CreatePropertyCollector",
    "CreateFilter",
    "DestroyPropertyFilter",
    "RetrievePropertiesEx",
    "ContinueRetrievePropertiesEx",
    "WaitForUpdatesEx",
    "QueryPerf",
})  # fmt: skip
