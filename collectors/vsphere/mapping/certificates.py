"""When a host's certificate ends."""

from __future__ import annotations

import ssl

from collectors.vsphere.mapping.checked import Facts, Oddities
from exporter.remote.certificate import not_after

PATH = "config.certificate"
"""Readable with `System.Read`; the certificate manager's own description needs the right to replace it."""
NOT_AFTER = "certificate_not_after"
"""Key among what only vSphere tells of a host."""
_FOOTER = "-----END CERTIFICATE-----"


def certificate_end(facts: Facts, odd: Oddities) -> float | None:
    """The end of validity in Unix seconds, out of a PEM text that comes as bytes; None where there is none."""
    found = facts.get(PATH)
    if found is None or found == "":
        return None
    try:
        pem = found if isinstance(found, str) else bytes(list(found)).decode("ascii")
        first, footer, _ = pem.partition(_FOOTER)
        end = not_after(ssl.PEM_cert_to_DER_cert(first.strip() + "\n" + footer))
    except (TypeError, ValueError):
        end = None
    if end is None:
        odd.append(f"{PATH} is no certificate")
    return end
