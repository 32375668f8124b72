"""The one password of keystores, Spark's settings and shell scripts, as arguments of tasks give it."""

from __future__ import annotations

from ppmlctl.diagnostics import Diagnostic, InputError
from ppmlctl.keystore import password_fault
from ppmlctl.secret import Secret
from ppmlctl.unknown import Unknown


def at_hand(password: Secret | Unknown) -> Secret | None:
    """The password if its value can be had now; None while it is not made yet or the vault is locked."""
    if isinstance(password, Unknown) or not password.is_available():
        return None
    return password


def check_password(password: Secret) -> None:
    """Raises InputError `keystore-password-unfit` for a password that one of its consumers would refuse or cut."""
    available = at_hand(password)
    fault = password_fault(available) if available else None
    if fault:
        raise InputError(
            Diagnostic(
                "keystore-password-unfit",
                "the keystore password does not suit all who use it",
                found=fault,
                why="keytool, Spark, the submit script and OpenSSL all get this one password",
                fix="choose one of 6 to 128 visible ASCII characters without blanks, for example: openssl rand -hex 16",
            )
        )
