"""The table of docs/kubeconfig.md: what each variant of kubeconfig/variants.yaml means. A test holds it to kubectl."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """`says`: what stands there. `refused`: by both; `stricter`: what kubectl does when ppmlctl refuses."""

    context: str
    says: str
    means: str
    refused: bool = False
    stricter: str = ""


def _sent(context: str, says: str, means: str) -> Row:
    return Row(context, says, means)


def _refused(context: str, says: str) -> Row:
    return Row(context, says, "an error", refused=True)


def _stricter(context: str, says: str, why: str) -> Row:
    return Row(context, says, "an error", stricter=why)


ROWS = (
    _sent("token", "`token`", "sent as bearer token"),
    _sent("token-file", "`tokenFile`", "the file's content without white space around it, read anew for each request"),
    _sent("token-and-file", "`token` and `tokenFile`", "the file counts"),
    _refused("missing-token-file", "`tokenFile` of a file that is missing"),
    _sent("password", "`username`, `password`", "sent as basic authentication"),
    _sent("username", "`username` alone", "sent with an empty password"),
    _refused("only-password", "`password` alone"),
    _sent("certificate", "`client-certificate-data`, `client-key-data`", "shown in the TLS handshake"),
    _sent("certificate-files", "`client-certificate`, `client-key`", "the same; paths count from their file"),
    _sent("certificate-and-token", "a client certificate and `token`", "both are shown"),
    _refused("certificate-without-key", "`client-certificate` without `client-key`"),
    _stricter("key-without-certificate", "`client-key` without `client-certificate`", "kubectl passes over the key"),
    _refused("missing-certificate", "`client-certificate` of a file that is missing"),
    _refused("two-certificates", "`client-certificate` and `client-certificate-data`"),
    _refused("another-key", "a key that does not fit its certificate"),
    _sent("program", "`exec`", "the program is run, and its token sent"),
    _refused("failing-program", "`exec` of a program that fails"),
    _stricter("program-and-token", "`exec` and `token`", "two ways to log in; kubectl takes the token"),
    _refused("token-and-password", "`token` and `password`"),
    _sent("as", "`as`", "sent as Impersonate-User"),
    _sent("as-all", "`as-uid`, `as-groups`, `as-user-extra`", "each value is a header of its own"),
    _sent("as-by-certificate", "`as` with a client certificate", "both are sent"),
    _refused("groups-as-nobody", "`as-groups` without `as`"),
    _refused("uid-as-nobody", "`as-uid` without `as`"),
    _refused("extra-as-nobody", "`as-user-extra` without `as`"),
    _refused("nothing", "a user without credentials"),
    _refused("empty", "a user whose credentials are empty"),
    _refused("missing-user", "a context whose user is missing"),
    _refused("no-user", "a context without `user`"),
    _stricter("provider", "`auth-provider`", "not offered: get credentials by `exec`"),
    _sent("extended-user", "`extensions` of a user", "passed over"),
    _stricter("misspelt-user", "any other field of a user", "kubectl passes over it"),
    _sent("by-file", "`certificate-authority`", "what the server is trusted by; paths count from their file"),
    _refused("other-authority", "an authority that did not issue the server's certificate"),
    _refused("no-authority", "no authority, and a server that the machine's own do not know"),
    _sent("unverified", "`insecure-skip-tls-verify`", "any server is trusted; every plan warns of it"),
    _refused("unverified-with-authority", "`insecure-skip-tls-verify` and an authority"),
    _refused("two-authorities", "`certificate-authority` and `certificate-authority-data`"),
    _refused("missing-authority", "`certificate-authority` of a file that is missing"),
    _sent("named", "`tls-server-name`", "the name that the server's certificate must have"),
    _refused("wrongly-named", "`tls-server-name` that the server's certificate does not have"),
    _sent("uncompressed", "`disable-compression`", "nothing: no compressed answer is asked for"),
    _sent("extended-cluster", "`extensions` of a cluster", "passed over"),
    _sent("behind-http", "`proxy-url: http://…`", "the way to the server"),
    _sent("behind-login", "`proxy-url` with a user", "the proxy learns who asks"),
    _sent("behind-socks", "`proxy-url: socks5://…`", "the way to the server; the proxy resolves its name"),
    _refused("behind-nothing", "`proxy-url` of another scheme"),
    _sent("here-behind-http", "`proxy-url` for a server on this machine", "it is used: 127.0.0.1 may be its own"),
    _sent("plain", "`server: http://…`", "no credentials are sent"),
    _sent("plain-as", "`as` for `server: http://…`", "it is sent"),
    _refused("nowhere", "a cluster without `server`"),
    _stricter("misspelt-cluster", "any other field of a cluster", "kubectl passes over it"),
    _refused("missing-cluster", "a context whose cluster is missing"),
    _refused("no-cluster", "a context without `cluster`"),
)
