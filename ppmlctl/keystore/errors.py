"""What the readers and writers of this package raise.

KeystoreError          the content is not what it should be
└── WrongPasswordError the content may be good, but does not open with this password
"""

from __future__ import annotations


class KeystoreError(ValueError):
    """Key material that cannot be read or made. The message holds neither password nor key."""


class WrongPasswordError(KeystoreError):
    """The password is another one, or the content was altered: the formats cannot tell these apart."""
