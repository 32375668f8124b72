"""The keystore password as files: `key.txt` and `output.bin` for the images, credentials for Spark.

`output.bin` is encrypted for the key and goes with it into the secret `ssl-password`; the credential file keeps the
password out of Spark's settings.

Identity: the folder. Nothing replaces it. The key is an envelope, no identity: a lost one is made anew, since the
password itself is kept elsewhere.
Errors: `key-readable-by-others`, `ssl-password-key-unusable`, `keystore-password-unfit`.
Source: upstream's `ppml/scripts/generate-password.sh`; pods read it with `openssl rsautl -inkey key.txt -decrypt`.
Spark reads the credential file through `hadoop.security.credential.provider.path` (ppmlctl.keystore.credential_store).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ppmlctl import keystore
from ppmlctl.diagnostics import Diagnostic, InputError
from ppmlctl.files import PRIVATE
from ppmlctl.keystore import KeystoreError
from ppmlctl.modules._key_files import read_key_files
from ppmlctl.modules._keystore_password import at_hand, check_password
from ppmlctl.modules.base import Module, ModuleArgs, ModuleResult
from ppmlctl.modules.context import Context
from ppmlctl.planning import Change, Observed, Recorded, Removal, Wanted, decide
from ppmlctl.secret import Secret
from ppmlctl.unknown import Unknown

_KEY = "key.txt"
_ENCRYPTED = "output.bin"
_CREDENTIALS = "credentials.jceks"
_NAMES = (_KEY, _ENCRYPTED, _CREDENTIALS)
_SECRET_FILES = {"key_txt": _KEY, "output_bin": _ENCRYPTED, "credentials": _CREDENTIALS}
"""Fields of the result and their files."""
_ALIASES = ("spark.ssl.keyPassword", "spark.ssl.keyStorePassword", "spark.ssl.trustStorePassword")
"""Settings that Spark looks up in credential files where they are not set."""


class SslPasswordArgs(ModuleArgs):
    """`password`: what the files will hold."""

    folder: str = "keys/password"
    password: Secret


class SslPasswordResult(ModuleResult):
    """`decrypts`: the files give the password, to OpenSSL and to Spark."""

    path: str
    decrypts: bool = True
    key_txt: Secret
    output_bin: Secret
    credentials: Secret


class SslPassword(Module[SslPasswordArgs, SslPasswordResult]):
    """See the module's text."""

    kind = "ssl_password"
    Args = SslPasswordArgs
    Result = SslPasswordResult
    shown = ("path",)
    removal = Removal.KEEP

    def observe(self, ctx: Context, wanted: Sequence[Wanted]) -> Mapping[str, Observed]:
        return {one.address: _observed(ctx, one.args) for one in wanted if not isinstance(one.args.folder, Unknown)}

    def diff(self, wanted: Wanted, observed: Observed, recorded: Recorded | None) -> Change:
        check_password(wanted.args.password)
        return decide(wanted, observed, recorded)

    def own_files(self, inputs: Mapping[str, Any]) -> Sequence[Any]:
        return tuple(f"{inputs.get('folder')}/{name}" for name in _NAMES)

    def apply(self, ctx: Context, args: SslPasswordArgs, observed: Observed) -> SslPasswordResult:  # noqa: ARG002 - the files are read anew
        check_password(args.password)
        files = _read(ctx, args)
        if not _decrypts(args, files):
            key = files.get(_KEY) or _make_key(ctx, args)
            encrypted = keystore.encrypt_password(key, args.password)
            ctx.files.write(f"{args.folder}/{_ENCRYPTED}", encrypted, mode=PRIVATE)
            ctx.files.write(f"{args.folder}/{_CREDENTIALS}", _credentials(args.password), mode=PRIVATE)
        return _result(ctx, args)

    def places(self, address: str, inputs: Mapping[str, Any]) -> Mapping[str, str]:  # noqa: ARG002 - only some need both
        folder = inputs["folder"]
        return {"path": folder, **{field: f"file:{folder}/{name}" for field, name in _SECRET_FILES.items()}}

    def remove(self, ctx: Context, recorded: Recorded) -> None:
        """Keys are kept: nothing to do."""


def _observed(ctx: Context, args: SslPasswordArgs) -> Observed:
    files = _read(ctx, args)
    if not files:
        return Observed(exists=False)
    decrypts = _decrypts(args, files)
    foreseen: Mapping[str, object] = {"path": args.folder}
    if decrypts and not isinstance(args.password, Unknown):
        foreseen = dict(_result(ctx, args))
        foreseen.pop("evidence")
    return Observed(exists=True, fields={"decrypts": decrypts}, foreseen=foreseen)


def _read(ctx: Context, args: SslPasswordArgs) -> dict[str, bytes]:
    return read_key_files(ctx.files, args.folder, _NAMES, private=_NAMES)


def _decrypts(args: SslPasswordArgs, files: Mapping[str, bytes]) -> bool:
    """Whether the files give the password; while its value cannot be had, whether they could."""
    if _KEY in files:
        _check_key(args, files[_KEY])
    if not files.keys() >= set(_NAMES):
        return False
    try:
        found = keystore.decrypt_password(files[_KEY], files[_ENCRYPTED])
    except KeystoreError:
        return False
    password = at_hand(args.password)
    return password is None or (found == password and files[_CREDENTIALS] == _credentials(password))


def _credentials(password: Secret) -> bytes:
    return keystore.write_credentials(dict.fromkeys(_ALIASES, password))


def _check_key(args: SslPasswordArgs, key: bytes) -> None:
    try:
        keystore.check_key(key)
    except KeystoreError as error:
        raise InputError(
            Diagnostic(
                "ssl-password-key-unusable",
                "the key of the encrypted password cannot be used",
                found=f"{args.folder}/{_KEY}: {error}",
                fix="move it away to have one made",
            )
        ) from None


def _make_key(ctx: Context, args: SslPasswordArgs) -> bytes:
    key = keystore.new_password_key()
    ctx.files.write(f"{args.folder}/{_KEY}", key, mode=PRIVATE)
    return key


def _result(ctx: Context, args: SslPasswordArgs) -> SslPasswordResult:
    files = {field: ctx.files.secret(f"{args.folder}/{name}") for field, name in _SECRET_FILES.items()}
    return SslPasswordResult(path=args.folder, **files)
