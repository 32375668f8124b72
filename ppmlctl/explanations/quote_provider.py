"""Numbers of Intel's DCAP libraries: `quote3_error_t`, which quoting, the quote provider and verification share."""

from __future__ import annotations

from ppmlctl.explanations.explanation import Explanation

DCAP = "intel/SGXDataCenterAttestationPrimitives"
_HEADER = f"{DCAP} QuoteGeneration/quote_wrapper/common/inc/sgx_ql_lib_common.h"
_PROVIDER = f"{DCAP} QuoteGeneration/qpl/sgx_default_quote_provider.cpp"
_NETWORK = f"{DCAP} QuoteGeneration/qcnl/linux/network_wrapper.cpp"
_ENCLAVE = f"{DCAP} QuoteVerification/QvE/Enclave/qve.cpp"
REACH = (
    "from the pod or container: curl the PCCS_URL of /etc/sgx_default_qcnl.conf; check its port, certificate and proxy"
)
REGISTER = (
    "register the platform with Intel (mpa_registration, PCKIDRetrievalTool), and check the PCCS's API key in its log"
)
_UPDATE = "update BIOS and microcode, restart, register anew; or name the status in accept_tcb, knowing its advisories"
_REFRESH = "refresh the PCCS's cache (its /refresh, or RefreshSchedule), and compare the clocks: date -u"
_NOT_CACHED = "refresh the PCCS (its /refresh), let PCCS_URL name version 4, and check its API key in its log"
PACKAGES = "install libsgx-dcap-ql, libsgx-dcap-default-qpl and libsgx-quote-ex of one release; restart aesmd"

QUOTE_ERRORS = (
    (
        0x01,
        "ERROR_UNEXPECTED",
        "unexpected error: mostly no SGX driver, no device in the container, or enclaves that do not load",
        "look for /dev/sgx_enclave and /dev/sgx_provision in the pod, then for the lines before this one",
    ),
    (0x02, "ERROR_INVALID_PARAMETER", "the caller gave a wrong parameter, such as a report of another size", PACKAGES),
    (0x03, "ERROR_OUT_OF_MEMORY", "memory ran out", "raise the pod's memory, or lower the enclave's size"),
    (
        0x04,
        "ERROR_ECDSA_ID_MISMATCH",
        "the stored attestation key is another quoting enclave's",
        "remove it from aesmd's data folder and restart aesmd: it makes a new one",
    ),
    (0x05, "PATHNAME_BUFFER_OVERFLOW_ERROR", "the path of the stored attestation key is too long", PACKAGES),
    (
        0x06,
        "FILE_ACCESS_ERROR",
        "the stored attestation key cannot be read or written",
        "check free space and permissions of aesmd's data folder",
    ),
    (0x07, "ERROR_STORED_KEY", "the stored attestation key is damaged", "restart aesmd: it makes a new one"),
    (
        0x08,
        "ERROR_PUB_KEY_ID_MISMATCH",
        "the stored attestation key is not the one that was asked for",
        "restart aesmd: it makes a new one",
    ),
    (0x09, "ERROR_INVALID_PCE_SIG_SCHEME", "the certification enclave signs in an unknown way", PACKAGES),
    (0x0A, "ATT_KEY_BLOB_ERROR", "the stored attestation key is damaged", "restart aesmd: it makes a new one"),
    (0x0B, "UNSUPPORTED_ATT_KEY_ID", "this kind of attestation key is not supported here", PACKAGES),
    (0x0C, "UNSUPPORTED_LOADING_POLICY", "quoting enclaves cannot be loaded in the way that was asked for", PACKAGES),
    (
        0x0D,
        "INTERFACE_UNAVAILABLE",
        "Intel's quoting enclave cannot be loaded",
        "give the pod /dev/sgx_provision (sgx.intel.com/provision) and the group sgx_prv; install the quoting packages",
    ),
    (0x0E, "PLATFORM_LIB_UNAVAILABLE", "the quote provider library is missing", "install libsgx-dcap-default-qpl"),
    (
        0x0F,
        "ATT_KEY_NOT_INITIALIZED",
        "the attestation key does not exist yet, or is not certified",
        "try again; if it stays, read aesmd's log for what the quote provider said",
    ),
    (0x10, "ATT_KEY_CERT_DATA_INVALID", "the PCCS gave certification data that do not fit", _REFRESH),
    (0x11, "NO_PLATFORM_CERT_DATA", "the PCCS has no certificate for this platform", REGISTER),
    (0x12, "OUT_OF_EPC", "the EPC has no room for the enclave", "run fewer enclaves on the node, or smaller ones"),
    (0x13, "ERROR_REPORT", "the report cannot be verified", "quote and enclave must be on the same machine"),
    (0x14, "ENCLAVE_LOST", "the machine slept or moved while the enclave ran", "start the workload again"),
    (0x15, "INVALID_REPORT", "the enclave's report is not of this machine", "quote on the machine that runs it"),
    (
        0x16,
        "ENCLAVE_LOAD_ERROR",
        "the quoting enclaves cannot be loaded: files, devices or permissions",
        "look for /dev/sgx_enclave, /dev/sgx_provision and the packages libsgx-ae-qe3 and libsgx-ae-pce",
    ),
    (
        0x17,
        "UNABLE_TO_GENERATE_QE_REPORT",
        "the quoting enclave cannot make a report for this enclave",
        "update the packages libsgx-ae-qe3 and libsgx-dcap-ql together",
    ),
    (
        0x18,
        "KEY_CERTIFCATION_ERROR",
        "the PCCS certifies a newer TCB than the platform has",
        "register the platform anew after a change of BIOS; then refresh the PCCS",
    ),
    (0x19, "NETWORK_ERROR", "the PCCS cannot be reached, or speaks no TLS", REACH),
    (0x1A, "MESSAGE_ERROR", "the PCCS gave an answer that is not understood", "compare its API version, 3 or 4"),
    (0x1B, "NO_QUOTE_COLLATERAL_DATA", "the PCCS has no collateral for this platform", REGISTER),
    (0x1C, "QUOTE_CERTIFICATION_DATA_UNSUPPORTED", "the quote carries no certificate chain", PACKAGES),
    (0x1D, "QUOTE_FORMAT_UNSUPPORTED", "what was verified is no quote, or of an unknown version", "look at its header"),
    (0x1E, "UNABLE_TO_GENERATE_REPORT", "the enclave cannot make a report of itself", PACKAGES),
    (0x1F, "QE_REPORT_INVALID_SIGNATURE", "the quote was changed or put together", "take it from its source again"),
    (0x20, "QE_REPORT_UNSUPPORTED_FORMAT", "the quoting enclave's report is of an unknown form", PACKAGES),
    (0x21, "PCK_CERT_UNSUPPORTED_FORMAT", "the platform's certificate is of an unknown form", _REFRESH),
    (
        0x22,
        "PCK_CERT_CHAIN_ERROR",
        "the platform's certificates do not lead to Intel's root: a sandbox, a test platform, or a changed quote",
        "compare the root with https://certificates.trustedservices.intel.com; quote on the platform itself",
    ),
    (0x23, "TCBINFO_UNSUPPORTED_FORMAT", "the TCB levels are of an unknown form", _REFRESH),
    (0x24, "TCBINFO_MISMATCH", "the collateral is another platform's", "fetch it for this quote's FMSPC"),
    (0x25, "QEIDENTITY_UNSUPPORTED_FORMAT", "the quoting enclave's identity is of an unknown form", _REFRESH),
    (
        0x26,
        "QEIDENTITY_MISMATCH",
        "the quoting enclave is not Intel's, or the collateral is of another kind",
        _REFRESH,
    ),
    (0x27, "TCB_OUT_OF_DATE", "the platform lacks security fixes", _UPDATE),
    (0x28, "TCB_OUT_OF_DATE_CONFIGURATION_NEEDED", "the platform lacks security fixes and settings", _UPDATE),
    (0x29, "SGX_ENCLAVE_IDENTITY_OUT_OF_DATE", "the quoting enclave is too old", PACKAGES),
    (0x2A, "SGX_ENCLAVE_REPORT_ISVSVN_OUT_OF_DATE", "the quoting enclave's security version is too old", PACKAGES),
    (0x2B, "QE_IDENTITY_OUT_OF_DATE", "the quoting enclave is too old", PACKAGES),
    (0x2C, "SGX_TCB_INFO_EXPIRED", "the TCB levels have run out", _REFRESH),
    (0x2D, "SGX_PCK_CERT_CHAIN_EXPIRED", "the platform's certificate has run out", _REFRESH),
    (0x2E, "SGX_CRL_EXPIRED", "the revocation lists have run out", _REFRESH),
    (0x2F, "SGX_SIGNING_CERT_CHAIN_EXPIRED", "the certificate that signs TCB levels has run out", _REFRESH),
    (0x30, "SGX_ENCLAVE_IDENTITY_EXPIRED", "the quoting enclave's identity has run out", _REFRESH),
    (0x31, "PCK_REVOKED", "the platform's certificate is revoked: nothing it says can be trusted", "replace it"),
    (0x32, "TCB_REVOKED", "the platform's level of fixes is revoked", "update BIOS and microcode, register anew"),
    (0x33, "TCB_CONFIGURATION_NEEDED", "the platform needs another setting, often hyper-threading off", _UPDATE),
    (0x34, "UNABLE_TO_GET_COLLATERAL", "the PCCS gave no collateral", REACH),
    (
        0x35,
        "ERROR_INVALID_PRIVILEGE",
        "quoting needs the provision device, and this process may not open it",
        "add the resource sgx.intel.com/provision, or the user to the group sgx_prv",
    ),
    (0x37, "NO_QVE_IDENTITY_DATA", "the PCCS has no identity of the verification enclave", _NOT_CACHED),
    (0x38, "CRL_UNSUPPORTED_FORMAT", "a revocation list is of an unknown form", _REFRESH),
    (0x39, "QEIDENTITY_CHAIN_ERROR", "the quoting enclave's identity is not signed by Intel", _REFRESH),
    (0x3A, "TCBINFO_CHAIN_ERROR", "the TCB levels are not signed by Intel", _REFRESH),
    (0x3B, "ERROR_QVL_QVE_MISMATCH", "verification library and enclave are of different releases", PACKAGES),
    (0x3C, "TCB_SW_HARDENING_NEEDED", "the enclave needs software mitigations on this processor", _UPDATE),
    (0x3D, "TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED", "settings and software mitigations are needed", _UPDATE),
    (0x3E, "UNSUPPORTED_MODE", "the platform is configured for another way of attestation", PACKAGES),
    (0x3F, "NO_DEVICE", "there is no SGX device", "enable SGX in the BIOS; give the pod its devices"),
    (
        0x40,
        "SERVICE_UNAVAILABLE",
        "the PCCS answers that it cannot serve now (503), or aesmd does not answer",
        "read the PCCS's log; systemctl status aesmd; mount /var/run/aesmd/aesm.socket",
    ),
    (0x41, "NETWORK_FAILURE", "the quoting service cannot reach the PCCS", REACH),
    (0x42, "SERVICE_TIMEOUT", "aesmd did not answer in time", "look at aesmd's log and at the PCCS it waits for"),
    (0x43, "ERROR_BUSY", "aesmd is busy", "try again"),
    (
        0x44,
        "UNKNOWN_MESSAGE_RESPONSE",
        "the PCCS answers with a fault of its own, often its way to Intel (502)",
        "read its log; check its API key and its proxy",
    ),
    (
        0x45,
        "PERSISTENT_STORAGE_ERROR",
        "what the PCCS gave cannot be stored",
        "check free space and permissions of aesmd's data folder",
    ),
    (
        0x46,
        "ERROR_MESSAGE_PARSING_ERROR",
        "the PCCS's answer is not understood, or is none of a PCCS",
        "compare PCCS_URL: host, port and /sgx/certification/v4/",
    ),
    (0x47, "PLATFORM_UNKNOWN", "the PCCS does not know this platform (461)", REGISTER),
    (0x48, "UNKNOWN_API_VERSION", "the PCCS speaks another API version", "compare v3 and v4 in sgx_default_qcnl.conf"),
    (0x49, "CERTS_UNAVAILABLE", "Intel has no certificates for this platform", REGISTER),
    (0x50, "QVEIDENTITY_MISMATCH", "the verification enclave is not Intel's", PACKAGES),
    (0x51, "QVE_OUT_OF_DATE", "the verification enclave is too old", PACKAGES),
    (
        0x52,
        "PSW_NOT_AVAILABLE",
        "the SGX platform software is missing",
        "install libsgx-urts, libsgx-enclave-common",
    ),
    (0x53, "COLLATERAL_VERSION_NOT_SUPPORTED", "the collateral is of an API version that is not read", PACKAGES),
    (0x60, "TDX_MODULE_MISMATCH", "the TDX module is not the one that Intel signs for this platform", "update it"),
    (
        0x61,
        "QEIDENTITY_NOT_FOUND",
        "the PCCS has no identity of the quoting enclave (404); for TDX only version 4 of its API has one",
        _NOT_CACHED,
    ),
    (
        0x62,
        "TCBINFO_NOT_FOUND",
        "the PCCS has no TCB levels for this platform's FMSPC (404); for TDX only version 4 of its API has them",
        _NOT_CACHED,
    ),
    (
        0x63,
        "INTERNAL_SERVER_ERROR",
        "a server failed by itself; Intel's own provider says 0xe044 instead, so another provider speaks",
        "read the log of the server that the quote provider asks",
    ),
    (
        0x64,
        "SUPPLEMENTAL_DATA_VERSION_NOT_SUPPORTED",
        "who verifies asks for newer supplemental data than the installed library knows",
        "update libsgx-dcap-quote-verify, or ask for the version that it tells",
    ),
    (
        0x65,
        "ROOT_CA_UNTRUSTED",
        "the TLS certificate of the PCCS is not trusted here, as a self-made one is not",
        "add the PCCS's CA to the certificates of pod and node; USE_SECURE_CERT=FALSE trusts whoever answers",
    ),
    (
        0x66,
        "TCB_NOT_SUPPORTED",
        "the platform's level is below all that its TCB levels list",
        "update BIOS and microcode, restart, register anew; then refresh the PCCS",
    ),
    (
        0x67,
        "CONFIG_INVALID_JSON",
        "/etc/sgx_default_qcnl.conf is neither JSON nor lines of the old form",
        "correct it: the pods' entrypoint writes it from PCCS_URL, which is scheme, host and port alone",
    ),
    (0x68, "RESULT_INVALID_SIGNATURE", "a signature of the quote does not hold", "take it from its source again"),
    (0x70, "QAEIDENTITY_MISMATCH", "the appraisal enclave is not Intel's", PACKAGES),
    (0x71, "QAE_OUT_OF_DATE", "the appraisal enclave is too old", PACKAGES),
    (0x72, "QUOTE_HASH_MISMATCH", "the appraisal is of another quote", "appraise the quote that is to be judged"),
    (0x73, "REPORT_DATA_MISMATCH", "the appraisal enclave's report is of another result", "appraise it again"),
)
_SOURCES = {
    0x19: _NETWORK,
    0x22: _ENCLAVE,
    0x40: _NETWORK,
    0x44: f"{_NETWORK}; {DCAP} QuoteGeneration/pccs/constants/pccs_status_code.js",
    0x46: _PROVIDER,
    0x47: _NETWORK,
    0x49: _NETWORK,
    0x61: _PROVIDER,
    0x62: _PROVIDER,
    0x63: f"{_HEADER}; {_PROVIDER}, which never gives it",
    0x64: f"{DCAP} QuoteVerification/dcap_quoteverify/sgx_dcap_quoteverify.cpp",
    0x65: f"{_PROVIDER}; {_NETWORK}, CURLE_PEER_FAILED_VERIFICATION",
    0x66: f"{_ENCLAVE}, STATUS_TCB_NOT_SUPPORTED",
    0x67: _PROVIDER,
}
"""The code that gives a number, where the header's words alone would mislead."""
ROWS = tuple(
    Explanation(f"SGX_QL_{name}", cause, remedy, _SOURCES.get(number, _HEADER), 0xE000 | number, (f"TEE_{name}",))
    for number, name, cause, remedy in QUOTE_ERRORS
)

_CERTIFICATION = f"{DCAP} QuoteGeneration/pce_wrapper/inc/sgx_pce.h"
CERTIFICATION = tuple(
    Explanation(f"SGX_PCE_{name}", cause, remedy, _CERTIFICATION, 0xF000 | number)
    for number, name, cause, remedy in (
        (0x01, "UNEXPECTED", "unexpected error of the certification enclave", "read the lines before this one"),
        (0x02, "INVALID_PARAMETER", "the caller gave a wrong parameter", PACKAGES),
        (0x03, "OUT_OF_EPC", "the EPC has no room for the enclave", "run fewer enclaves on the node, or smaller ones"),
        (
            0x04,
            "INTERFACE_UNAVAILABLE",
            "the certification enclave cannot be loaded",
            "give the pod /dev/sgx_provision (sgx.intel.com/provision) and the group sgx_prv; install libsgx-ae-pce",
        ),
        (0x05, "INVALID_REPORT", "the report cannot be verified", "quote on the machine that runs the enclave"),
        (0x06, "CRYPTO_ERROR", "the certification enclave could not decrypt or verify", PACKAGES),
        (
            0x07,
            "INVALID_PRIVILEGE",
            "certifying needs the provision device, and this process may not open it",
            "add the resource sgx.intel.com/provision, or the user to the group sgx_prv",
        ),
        (
            0x08,
            "INVALID_TCB",
            "the PCCS certifies a newer TCB than the platform has",
            "register the platform anew after a change of BIOS; then refresh the PCCS",
        ),
    )
)

_RESULTS = (
    (0x1, "CONFIG_NEEDED", "genuine, but the platform needs another setting", _UPDATE),
    (0x2, "OUT_OF_DATE", "genuine, but the platform lacks security fixes", _UPDATE),
    (0x3, "OUT_OF_DATE_CONFIG_NEEDED", "genuine, but fixes and settings are missing", _UPDATE),
    (0x4, "INVALID_SIGNATURE", "the quote is not genuine: a signature does not hold", "take it from its source again"),
    (0x5, "REVOKED", "the platform or its key is revoked", "replace the platform, or update it and register anew"),
    (0x6, "UNSPECIFIED", "verification failed without a reason", "ppmlctl attest quote FILE --collateral FILE"),
    (0x7, "SW_HARDENING_NEEDED", "genuine, but the enclave needs software mitigations", _UPDATE),
    (0x8, "CONFIG_AND_SW_HARDENING_NEEDED", "genuine, but settings and mitigations are needed", _UPDATE),
    (0x9, "TD_RELAUNCH_ADVISED", "genuine, but the domain was launched under an older TDX module", "launch it anew"),
    (0xA, "TD_RELAUNCH_ADVISED_CONFIG_NEEDED", "the same, and the platform needs another setting", _UPDATE),
)
_VERIFICATION = f"{DCAP} QuoteVerification/QvE/Include/sgx_qve_header.h"
RESULTS = tuple(
    Explanation(f"SGX_QL_QV_RESULT_{name}", cause, remedy, _VERIFICATION, 0xA000 | number)
    for number, name, cause, remedy in _RESULTS
)
