"""Every call of the vSphere API that this platform makes. None can change a hypervisor.

Views and property collectors belong to our session and end with it. The only other request is a GET of the description
of the API's versions.
"""

from __future__ import annotations

DESCRIPTION = "vimServiceVersions.xml"
"""Document below the SDK's path that tells the versions of the API; asked for without an account."""

ALLOWED = frozenset({
    "RetrieveServiceContent",
    "CurrentTime",
    "Login",
    "Logout",
    "CreateContainerView",
    "CreatePropertyCollector",
    "CreateFilter",
    "DestroyPropertyCollector",
    "RetrievePropertiesEx",
    "ContinueRetrievePropertiesEx",
    "WaitForUpdatesEx",
    "QueryPerf",
    "HasUserPrivilegeOnEntities",
})  # fmt: skip
