"""Passwords in addresses: found, so that they can be refused, and hidden wherever an address is shown."""

from __future__ import annotations

import re

from exporter.secrets import HIDDEN

# A colon before the first @, but neither a port's nor one in an IPv6 address. The password may hold anything, also a
# slash or another @. The scheme is matched atomically: its colon must not be taken for that of a password.
_USER_INFO = re.compile(r"^((?>(?:[A-Za-z][A-Za-z0-9+.-]*:/{2,3})?)[^?#\[@:]*):(?!\d+/)[^?#]*@")
_PARAMETER = re.compile(r"(?i)([?&;](?:pass|passwd|password|pwd|pw|secret|token|api_?key)=)[^&;#]+")


def without_password(address: str) -> str:
    """The address with a password replaced, in `user:password@` or in a parameter; unchanged if it has none."""
    return _PARAMETER.sub(rf"\1{HIDDEN}", _USER_INFO.sub(rf"\1:{HIDDEN}@", address))
