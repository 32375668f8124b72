"""What the SGX runtime, aesmd and Gramine say."""

from __future__ import annotations

from ppmlctl.explanations.explanation import Explanation

_STATUS = "intel/linux-sgx common/inc/sgx_error.h"
_GRAMINE = "gramineproject/gramine pal/src/host/linux-sgx"
_AESM = "intel/linux-sgx psw/ae/inc/internal/aesm_error.h"
_BUNDLE = "intel/linux-sgx psw/ae/aesm_service/source/bundles/ecdsa_quote_service_bundle/ecdsa_quote_service_bundle.cpp"
_REGISTER = "register the platform with Intel, and check the PCCS's API key in its log"
_DEVICES = "give the pod sgx.intel.com/enclave and sgx.intel.com/provision, or the devices and the group sgx_prv"

_STATUSES = (
    (0x0001, "UNEXPECTED", "unexpected error, often a missing device or an enclave that does not load", _DEVICES),
    (0x0003, "OUT_OF_MEMORY", "memory ran out", "raise the pod's memory, or lower the enclave's size"),
    (0x0004, "ENCLAVE_LOST", "the machine slept or moved while the enclave ran, or it forked", "start it again"),
    (0x1003, "OUT_OF_TCS", "the enclave has too few threads", "raise sgx.max_threads (thread_num) of the manifest"),
    (0x1006, "ENCLAVE_CRASHED", "the enclave ended by a fault of its own", "read the lines before; try a larger one"),
    (0x2001, "INVALID_ENCLAVE", "the enclave's image is damaged", "build and sign it again"),
    (0x2003, "INVALID_SIGNATURE", "the enclave's signature does not hold", "sign it again: ppmlctl apply"),
    (0x2004, "NDEBUG_ENCLAVE", "a production enclave is started as a debug one", "start it without debug"),
    (0x2005, "OUT_OF_EPC", "the EPC has no room for the enclave", "run fewer or smaller enclaves on the node"),
    (0x2006, "NO_DEVICE", "the SGX device cannot be opened", "enable SGX in the BIOS; give the pod its devices"),
    (0x200C, "DEVICE_BUSY", "the processor refused to initialise the enclave", "check its signature and attributes"),
    (0x2011, "INVALID_LAUNCH_TOKEN", "the token is of another enclave or machine", "let init.sh make it anew"),
    (0x3001, "MAC_MISMATCH", "a report or sealed data were made on another machine or by another enclave", "seal anew"),
    (0x4001, "SERVICE_UNAVAILABLE", "aesmd does not answer, or lacks the plugin", "systemctl status aesmd"),
    (0x4002, "SERVICE_TIMEOUT", "aesmd did not answer in time", "look at aesmd's log and at the PCCS it waits for"),
    (
        0x4004,
        "SERVICE_INVALID_PRIVILEGE",
        "the enclave asks for the provision key, and this process may not open the provision device",
        _DEVICES,
    ),
    (0x4006, "UPDATE_NEEDED", "the platform software is too old for this", "update the SGX packages and the BIOS"),
    (0x4007, "NETWORK_FAILURE", "the network, or a proxy setting, stands in the way", "check aesmd's proxy and PCCS"),
    (0x400A, "BUSY", "aesmd is busy", "try again"),
    (0x4012, "UNRECOGNIZED_PLATFORM", "Intel's service does not know this platform", "register it: mpa_registration"),
    (0x5002, "NO_PRIVILEGE", "this process may not do that", _DEVICES),
    (0x8001, "UNSUPPORTED_ATT_KEY_ID", "aesmd has no plugin for this kind of quote", "install libsgx-quote-ex"),
    (0x8003, "ATT_KEY_UNINITIALIZED", "there is no attestation key yet", "try again; then read aesmd's log"),
    (0x8005, "PLATFORM_CERT_UNAVAILABLE", "the PCCS has no certificate for this platform", _REGISTER),
)
STATUSES = tuple(
    Explanation(f"SGX_ERROR_{name}", cause, remedy, _STATUS, number) for number, name, cause, remedy in _STATUSES
)

AESM = (
    Explanation(
        "AESM service returned error 1",
        "a fault of the quote provider that aesmd has no number for, such as 0xe047, 0xe049 or 0xe065",
        "read journalctl -u aesmd on the node for a number 0xe0…, and explain that",
        f"{_BUNDLE}, quote3_error_to_aesm_error",
    ),
    Explanation(
        "AESM service returned error 2",
        "aesmd finds no SGX device on the node",
        "enable SGX in the BIOS, and look for /dev/sgx_enclave on the node",
        _AESM,
    ),
    Explanation(
        "AESM service returned error 12",
        "aesmd cannot reach the PCCS",
        "from the node: curl the PCCS_URL of /etc/sgx_default_qcnl.conf; then journalctl -u aesmd",
        _AESM,
    ),
    Explanation(
        "AESM service returned error 30",
        "aesmd lacks the plugin for ECDSA quotes",
        "install libsgx-quote-ex and libsgx-aesm-quote-ex-plugin; restart aesmd",
        f"{_AESM}; edgelesssys/marblerun samples, README",
    ),
    Explanation(
        "AESM service returned error 42",
        "the attestation key is not there or no longer certified (0xe00f); Gramine initialises it and asks again once",
        "if it stays: journalctl -u aesmd on the node says what the quote provider answered",
        f"{_AESM}, AESM_ATT_KEY_NOT_INITIALIZED; {_GRAMINE}/enclave_platform.c",
    ),
    Explanation(
        "AESM service returned error 44",
        "the PCCS answers that it has no certificate of this platform (404, 0xe011)",
        _REGISTER,
        f"{_AESM}, AESM_NO_PLATFORM_CERT_DATA; {_BUNDLE}",
    ),
    Explanation(
        "Cannot connect to aesm_service",
        "aesmd does not run on the node, or its socket is not in the pod",
        "systemctl status aesmd on the node; mount /var/run/aesmd/aesm.socket, which must be a socket and not a folder",
        f"{_GRAMINE}/host_platform.c",
    ),
)

GRAMINE = (
    Explanation(
        "enclave EINIT failed - Invalid signature",
        "the processor refuses the SIGSTRUCT: changed after signing, or Q1 and Q2 are wrong",
        "sign it again: ppmlctl apply; look at it: ppmlctl enclave inspect",
        f"{_GRAMINE}/host_framework.c; Intel SDM volume 3D, EINIT",
    ),
    Explanation(
        "enclave EINIT failed - Invalid measurement",
        "what was loaded is not what was signed: another manifest, loader or size",
        "compare: ppmlctl enclave measure",
        f"{_GRAMINE}/host_framework.c; Intel SDM volume 3D, EINIT",
    ),
    Explanation(
        "enclave EINIT failed - Invalid enclave attribute",
        "the SIGSTRUCT asks for a feature that this processor lacks, or the token is of another machine",
        "run on a processor with the features that the manifest requires; init.sh makes the token anew",
        f"{_GRAMINE}/host_framework.c; Intel SDM volume 3D, EINIT",
    ),
    Explanation(
        "ECREATE failed in enclave creation ioctl",
        "the enclave's size is no power of two or too large for this processor, or a feature is missing",
        "choose another enclave_size; is-sgx-available shows the largest",
        f"{_GRAMINE}/host_framework.c, gramineproject/gramine issue 557",
    ),
    Explanation(
        "Initializing enclave failed: Operation not permitted (EPERM)",
        "/dev is mounted noexec, the provision device may not be opened, or EINIT refused the signature",
        f"{_DEVICES}; then look for an EINIT line before this one",
        "gramineproject/gramine issues 1217 and 1356",
    ),
    Explanation(
        "load_enclave() failed with error",
        "the enclave did not start; the line before says why",
        "explain the line before this one",
        f"{_GRAMINE}/host_main.c",
    ),
    Explanation(
        "Enclave size is not large enough",
        "manifest, stacks and loader do not fit into enclave_size",
        "raise images.custom.enclave_size, or lower the threads",
        "gramineproject/gramine python/graminelibos/sgx_sign.py",
    ),
    Explanation(
        "Disallowing access to file",
        "the file is neither trusted nor allowed by the manifest",
        "add it to sgx.trusted_files of the manifest's template, and build anew",
        f"{_GRAMINE}/enclave_framework.c",
    ),
)
ROWS = (*STATUSES, *AESM, *GRAMINE)
