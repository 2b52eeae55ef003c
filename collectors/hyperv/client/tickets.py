"""Tickets of Kerberos that a password is worth, for as long as one login takes.

pyspnego fetches them too, but into a cache in memory that nobody ever empties: a daemon would grow with every login.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def login(user: str, password: str, *, alone: bool) -> Iterator[list[Any]]:
    """What pyspnego is to log in with within the block; `alone` if Kerberos is the only way.

    Otherwise what the domain refuses leaves the cache empty, so that the password is not tried there once more, and
    NTLM has it. Raises what the libraries raise, `ImportError` where those of Kerberos are missing.
    """
    spnego = importlib.import_module("spnego")
    by_password = spnego.Password(user, password)
    try:
        krb5 = importlib.import_module("krb5")
    except ImportError:
        if alone:
            raise
        yield [by_password]
        return
    context = krb5.init_context()
    cache = krb5.cc_new_unique(context, b"MEMORY")
    try:
        try:
            _fetch(krb5, context, cache, user, password)
        except krb5.Krb5Error:
            if alone:
                raise
        by_ticket = spnego.KerberosCCache(f"MEMORY:{cache.name.decode()}")
        yield [by_ticket] if alone else [by_ticket, by_password]
    finally:
        krb5.cc_destroy(context, cache)  # what was agreed on with the host needs it no more


def _fetch(krb5: Any, context: Any, cache: Any, user: str, password: str) -> None:
    principal = krb5.parse_name_flags(context, user.encode())
    options = krb5.get_init_creds_opt_alloc(context)
    krb5.get_init_creds_opt_set_canonicalize(options, True)
    found = krb5.get_init_creds_password(context, principal, options, password=password.encode())
    krb5.cc_initialize(context, cache, found.client)
    krb5.cc_store_cred(context, cache, found)
