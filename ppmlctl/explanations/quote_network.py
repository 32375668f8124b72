"""Numbers of the library that asks the PCCS, `sgx_qcnl_error_t`, as the quote provider prints them."""

from __future__ import annotations

from ppmlctl.explanations.explanation import Explanation
from ppmlctl.explanations.quote_provider import DCAP, PACKAGES, REACH, REGISTER

_CACHE = f"{DCAP} QuoteGeneration/qcnl/inc/sgx_default_qcnl_wrapper.h"
_CONFIGURATION = "correct /etc/sgx_default_qcnl.conf: JSON, or lines NAME=VALUE of the old form"
_PROXY = "set the proxy that leads there, or none, for aesmd or qgsd (systemctl edit), and for the pod"
ROWS = tuple(
    Explanation(f"SGX_QCNL_{name}", cause, remedy, _CACHE, 0xB000 | number)
    for number, name, cause, remedy in (
        (
            0x01,
            "UNEXPECTED_ERROR",
            "unexpected error of the library that asks the PCCS",
            "read the lines before this one",
        ),
        (0x02, "INVALID_PARAMETER", "the quote provider gave a wrong parameter", PACKAGES),
        (0x03, "NETWORK_ERROR", "the PCCS cannot be reached, or refuses (403)", REACH),
        (0x04, "NETWORK_PROXY_FAIL", "the name of the proxy is not known", _PROXY),
        (0x05, "NETWORK_HOST_FAIL", "the name of the PCCS is not known", REACH),
        (0x06, "NETWORK_COULDNT_CONNECT", "nothing takes connections at the PCCS's address, or at the proxy's", REACH),
        (0x07, "NETWORK_HTTP2_ERROR", "the PCCS, or a proxy before it, speaks broken HTTP/2", _PROXY),
        (0x08, "NETWORK_WRITE_ERROR", "the PCCS's answer could not be taken", "try again; then look at memory"),
        (0x09, "NETWORK_OPERATION_TIMEDOUT", "the PCCS did not answer in time", f"read the PCCS's log; {REACH}"),
        (
            0x0A,
            "NETWORK_HTTPS_ERROR",
            "the TLS handshake with the PCCS failed: no TLS there, or an untrusted certificate",
            "compare scheme and port; trust the PCCS's CA in pod and node, since USE_SECURE_CERT=FALSE trusts anybody",
        ),
        (0x0B, "NETWORK_UNKNOWN_OPTION", "the installed libcurl is too old", PACKAGES),
        (0x0C, "NETWORK_INIT_ERROR", "libcurl cannot be loaded", "install libcurl4 beside libsgx-dcap-default-qpl"),
        (0x0D, "MSG_ERROR", "the PCCS's answer is not understood", "compare PCCS_URL: host, port and version"),
        (0x0E, "OUT_OF_MEMORY", "memory ran out", "raise the pod's memory"),
        (0x0F, "ERROR_STATUS_NO_CACHE_DATA", "the PCCS has nothing for this platform (404)", REGISTER),
        (0x10, "ERROR_STATUS_PLATFORM_UNKNOWN", "the PCCS does not know this platform (461)", REGISTER),
        (
            0x11,
            "ERROR_STATUS_UNEXPECTED",
            "the PCCS answered with a status that nothing else stands for: 401, 5xx, or something that is no PCCS",
            "read the PCCS's log: often its own way to Intel, its API key or its proxy; compare PCCS_URL",
        ),
        (0x12, "ERROR_STATUS_CERTS_UNAVAILABLE", "Intel has no certificates for this platform (462)", REGISTER),
        (0x13, "ERROR_STATUS_SERVICE_UNAVAILABLE", "the PCCS cannot serve now (503)", "read its log; try again"),
        (0x30, "INVALID_CONFIG", "its configuration has an error", _CONFIGURATION),
        (0x31, "CACHE_MISSING", "the local cache has no such entry", REACH),
        (0x32, "CACHE_EXPIRED", "the local cache's entry has run out", f"date -u; {REACH}"),
        (
            0x33,
            "ROOT_CA_UNTRUSTED",
            "the TLS certificate of the PCCS is not trusted here, as a self-made one is not",
            "add the PCCS's CA to the certificates of pod and node; USE_SECURE_CERT=FALSE trusts whoever answers",
        ),
        (0x35, "CONFIG_INVALID_JSON", "its configuration is JSON with an error in it", _CONFIGURATION),
        (0x36, "CONFIG_NOT_JSON", "its configuration is not JSON", _CONFIGURATION),
    )
)
"""Of the library below the quote provider, which alone asks the PCCS."""
