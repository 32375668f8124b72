"""The server's key and certificate, and the keystores made of them, as files for the secret `ssl-keys`.

Identity: the folder. Nothing replaces it: the key is made once and kept; another name, a renewal or another password
make certificate or keystores anew around the same key. A CA's certificate put in place of `server.crt` is kept.
Errors: `tls-key-missing` (no key, but it is recorded or its certificate is there), `tls-key-unusable`,
`key-readable-by-others`, `certificate-unfit`, `keystore-password-unfit`.
Source: upstream's `ppml/scripts/generate-keys.sh` (names of the files), `bigdl-ppml-submit.sh` (JKS, one password).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from ppmlctl import keystore
from ppmlctl.diagnostics import Diagnostic, InputError, StateError
from ppmlctl.files import PRIVATE, PUBLIC
from ppmlctl.keystore import CertificateFacts, CertificateRequest, KeystoreError
from ppmlctl.modules._key_files import read_key_files
from ppmlctl.modules._keystore_password import at_hand, check_password
from ppmlctl.modules.base import Module, ModuleArgs, ModuleResult
from ppmlctl.modules.context import Context
from ppmlctl.planning import Change, Observed, Recorded, Removal, Wanted, decide
from ppmlctl.secret import Secret
from ppmlctl.unknown import Unknown, unknowns_in

_SECRET_FILES = {
    "server_key": keystore.KEY,
    "server_crt": keystore.CERTIFICATE,
    "server_csr": keystore.SIGNING_REQUEST,
    "server_pem": keystore.KEY_AND_CERTIFICATE,
    "keystore_pkcs12": keystore.PKCS12,
    "keystore_jks": keystore.JKS,
}
"""Fields of the result and their files."""


class TlsKeystoreArgs(ModuleArgs):
    """`days`: how long a certificate lives; `renew_before`: days before its end when it is made anew."""

    folder: str = "keys"
    common_name: str
    organization: str | None = None
    alternative_names: tuple[str, ...] = ()
    days: int = 825
    renew_before: int = 30
    password: Secret


class TlsKeystoreResult(ModuleResult):
    """`stores_agree`: every file holds this key and certificate, and the keystores open with the password."""

    path: str
    certificate_sha256: str
    renewal_due: bool = False
    stores_agree: bool = True
    server_key: Secret
    server_crt: Secret
    server_csr: Secret
    server_pem: Secret
    keystore_pkcs12: Secret
    keystore_jks: Secret


@dataclass(frozen=True)
class _Found:
    """The files, what the certificate says if it is for the key, and the files that disagree with the two."""

    files: Mapping[str, bytes] = field(repr=False)
    facts: CertificateFacts | None = None
    disagreeing: Sequence[str] = ()


class TlsKeystore(Module[TlsKeystoreArgs, TlsKeystoreResult]):
    """See the module's text."""

    kind = "tls_keystore"
    Args = TlsKeystoreArgs
    Result = TlsKeystoreResult
    shown = ("path", "certificate_sha256")
    removal = Removal.KEEP
    follows_rotation = "a new key and a self-signed certificate; keystores and the secrets made of them follow"

    def observe(self, ctx: Context, wanted: Sequence[Wanted]) -> Mapping[str, Observed]:
        now = datetime.now(UTC)
        located = [one for one in wanted if not isinstance(one.args.folder, Unknown)]
        return {one.address: _observed(ctx, one.args, now) for one in located}

    def diff(self, wanted: Wanted, observed: Observed, recorded: Recorded | None) -> Change:
        _check(wanted.args)
        if observed.detail is not None:
            _check_key(wanted.args, observed.detail.files, is_recorded=recorded is not None)
        elif recorded is not None:
            _check_key(wanted.args, {}, is_recorded=True)
        return decide(wanted, observed, recorded)

    def own_files(self, inputs: Mapping[str, Any]) -> Sequence[Any]:
        return (f"{inputs.get('folder')}/server.key", f"{inputs.get('folder')}/keystore.jks")

    def apply(self, ctx: Context, args: TlsKeystoreArgs, observed: Observed) -> TlsKeystoreResult:  # noqa: ARG002 - the files are read anew
        _check(args)
        found = _look(ctx, args)
        if _is_to_go(ctx, found):
            found = _Found({name: content for name, content in found.files.items() if name != keystore.KEY})
        elif not ctx.rotating:
            _check_key(args, found.files, is_recorded=ctx.address in ctx.recorded)
        key = found.files.get(keystore.KEY) or _make_key(ctx, args)
        certificate, is_new = _certificate(ctx, args, key, found)
        files = {**found.files, keystore.KEY: key, keystore.CERTIFICATE: certificate}
        stale = keystore.disagreeing_files(files, args.password)
        if is_new and keystore.SIGNING_REQUEST not in stale:
            stale.append(keystore.SIGNING_REQUEST)
        if stale:
            ctx.tell(f"making {', '.join(stale)}")
            derived = keystore.derived_files(key, certificate, _request(args), args.password)
            for name in stale:
                _write(ctx, args, name, derived[name])
        return _result(ctx, args, keystore.certificate_facts(certificate))

    def places(self, address: str, inputs: Mapping[str, Any]) -> Mapping[str, str]:  # noqa: ARG002 - only some need both
        folder = inputs["folder"]
        return {"path": folder, **{field: f"file:{folder}/{name}" for field, name in _SECRET_FILES.items()}}

    def remove(self, ctx: Context, recorded: Recorded) -> None:
        """Keys are kept: nothing to do."""


def _observed(ctx: Context, args: TlsKeystoreArgs, now: datetime) -> Observed:
    found = _look(ctx, args)
    if not found.files:
        return Observed(exists=False)
    renewal_due = found.facts is not None and _is_due(found.facts, args, now)
    fields = {
        "certificate_sha256": found.facts.sha256 if found.facts else None,
        "renewal_due": renewal_due,
        "stores_agree": not found.disagreeing,
    }
    foreseen: Mapping[str, object] = {"path": args.folder}
    if found.facts and not found.disagreeing and _is_suitable(found.facts, args, now):
        foreseen = dict(_result(ctx, args, found.facts))
        foreseen.pop("evidence")
    return Observed(keystore.KEY in found.files, fields, foreseen, found)


def _look(ctx: Context, args: TlsKeystoreArgs) -> _Found:
    files = read_key_files(ctx.files, args.folder, keystore.SERVER_FILES, private=keystore.KEY_BEARING)
    if keystore.KEY not in files:
        return _Found(files)
    facts = _facts(args, files)
    if facts is None:
        return _Found(files, None, [name for name in keystore.SERVER_FILES if name != keystore.KEY])
    return _Found(files, facts, keystore.disagreeing_files(files, at_hand(args.password)))


def _facts(args: TlsKeystoreArgs, files: Mapping[str, bytes]) -> CertificateFacts | None:
    """What the certificate says, or None where there is none for this key."""
    try:
        keystore.check_key(files[keystore.KEY])
    except KeystoreError as error:
        raise InputError(_unusable(args, str(error))) from None
    try:
        certificate = files[keystore.CERTIFICATE]
        is_ours = keystore.belongs_to(certificate, files[keystore.KEY])
        return keystore.certificate_facts(certificate) if is_ours else None
    except (KeyError, KeystoreError):
        return None


def _certificate(ctx: Context, args: TlsKeystoreArgs, key: bytes, found: _Found) -> tuple[bytes, bool]:
    """The certificate that is there if it will do, or a new one; and whether it is new."""
    now = datetime.now(UTC)
    if found.facts is not None and _is_suitable(found.facts, args, now):
        return found.files[keystore.CERTIFICATE], False
    certificate = keystore.issue(key, _request(args), now=now)
    _write(ctx, args, keystore.CERTIFICATE, certificate)
    return certificate, True


def _is_to_go(ctx: Context, found: _Found) -> bool:
    """Whether a rotation finds the recorded pair still in place; another one was put there by an interrupted apply."""
    recorded = ctx.recorded.get(ctx.address)
    return bool(
        ctx.rotating and recorded and found.facts and found.facts.sha256 == recorded.result["certificate_sha256"]
    )


def _make_key(ctx: Context, args: TlsKeystoreArgs) -> bytes:
    ctx.tell("making an RSA key")
    key = keystore.new_private_key()
    _write(ctx, args, keystore.KEY, key)
    return key


def _write(ctx: Context, args: TlsKeystoreArgs, name: str, content: bytes) -> None:
    mode = PRIVATE if name in keystore.KEY_BEARING else PUBLIC
    ctx.files.write(f"{args.folder}/{name}", content, mode=mode)


def _is_due(facts: CertificateFacts, args: TlsKeystoreArgs, now: datetime) -> bool:
    return not isinstance(args.renew_before, Unknown) and now >= facts.not_after - timedelta(days=args.renew_before)


def _is_suitable(facts: CertificateFacts, args: TlsKeystoreArgs, now: datetime) -> bool:
    is_known = not any(unknowns_in([getattr(args, name) for name in TlsKeystoreArgs.model_fields]))
    return is_known and facts.says(_request(args)) and not _is_due(facts, args, now)


def _request(args: TlsKeystoreArgs) -> CertificateRequest:
    return CertificateRequest(args.common_name, args.organization, args.days, args.alternative_names)


def _result(ctx: Context, args: TlsKeystoreArgs, facts: CertificateFacts) -> TlsKeystoreResult:
    files = {field: ctx.files.secret(f"{args.folder}/{name}") for field, name in _SECRET_FILES.items()}
    return TlsKeystoreResult(path=args.folder, certificate_sha256=facts.sha256, **files)


def _check(args: TlsKeystoreArgs) -> None:
    check_password(args.password)
    try:
        _request(args).check()
    except KeystoreError as error:
        raise InputError(_unfit(str(error))) from None
    if not 0 <= args.renew_before < args.days:
        raise InputError(_unfit(f"renewed {args.renew_before} days before its end, it lives {args.days}"))


def _check_key(args: TlsKeystoreArgs, files: Mapping[str, bytes], *, is_recorded: bool) -> None:
    """A key that others count on is never made anew."""
    if keystore.KEY in files or not (is_recorded or keystore.CERTIFICATE in files):
        return
    known_by = "the lockfile" if is_recorded else f"{args.folder}/{keystore.CERTIFICATE}"
    raise StateError(
        Diagnostic(
            "tls-key-missing",
            "the server's private key is missing here",
            found=f"{known_by} knows a key, but {args.folder}/{keystore.KEY} is not there",
            why="it is never made anew, since running pods and clients hold what was made from it",
            fix=f"restore {args.folder}/ from where you keep it",
        )
    )


def _unusable(args: TlsKeystoreArgs, found: str) -> Diagnostic:
    return Diagnostic(
        "tls-key-unusable",
        "the server's private key cannot be used",
        found=f"{args.folder}/{keystore.KEY}: {found}",
        why="keystore, certificate and signing request are made from it, and it is not overwritten",
        fix="put an unencrypted RSA key in PEM there, or move it away to have one made",
    )


def _unfit(found: str) -> Diagnostic:
    return Diagnostic(
        "certificate-unfit",
        "a certificate cannot be made as asked for",
        found=found,
        fix="correct common_name, organization, days or renew_before under `keys.tls`",
    )
