"""Which permission is missing, read from the server's refusal, and the commands that grant it.

Source: kubernetes, apiserver, pkg/endpoints/handlers/responsewriters/errors.go (`forbiddenMessage`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_REFUSAL = re.compile(
    r'User "(?P<user>[^"]*)" cannot (?P<verb>\w+) resource "(?P<resource>[^"]+)" in API group "(?P<group>[^"]*)"'
    r'(?: in the namespace "(?P<namespace>[^"]*)")?'
)
_ACCOUNT = "system:serviceaccount:"


@dataclass(frozen=True)
class MissingPermission:
    """One verb on one resource; `namespace` is empty for the whole cluster."""

    user: str
    verb: str
    resource: str
    group: str
    namespace: str

    @property
    def told(self) -> str:
        """The permission in the words of a role's rule."""
        where = f"in namespace {self.namespace}" if self.namespace else "in the whole cluster"
        return f'missing: verb {self.verb} on resource {self.resource} of apiGroup "{self.group}" {where}'

    @property
    def remedy(self) -> str:
        """Commands for the administrator. What applies also creates: then both verbs are granted."""
        name = f"ppmlctl-{self.verb}-{self.resource.replace('/', '-')}"
        verbs = "create,patch" if self.verb in ("create", "patch") else self.verb
        kind, place = ("role", f" -n {self.namespace}") if self.namespace else ("clusterrole", "")
        resource, _, below = self.resource.partition("/")
        full = f"{resource}{f'.{self.group}' if self.group else ''}{f'/{below}' if below else ''}"
        account = self.user.removeprefix(_ACCOUNT)
        subject = f"--serviceaccount={account}" if account != self.user else f"--user={self.user}"
        return (
            "let the cluster's administrator run:\n"
            f"kubectl create {kind} {name} --verb={verbs} --resource={full}{place}\n"
            f"kubectl create {kind}binding {name} --{kind}={name} {subject}{place}"
        )


def missing_permission(message: str) -> MissingPermission | None:
    """What a refusal of the RBAC authorizer names; None for any other refusal."""
    found = _REFUSAL.search(message)
    return MissingPermission(**found.groupdict(default="")) if found else None
