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
    (0x0002, "INVALID_PARAMETER", "the caller gave a wrong parameter", "update the SGX packages together"),
    (0x0005, "INVALID_STATE", "a function was called out of order", "read the lines before this one"),
    (0x0008, "FEATURE_NOT_SUPPORTED", "this platform lacks the feature", "compare the processor and the SGX packages"),
    (
        0x000A,
        "MEMORY_MAP_FAILURE",
        "no address range is left for the enclave",
        "choose a smaller one; look at ulimit -v",
    ),
    (0x1001, "INVALID_FUNCTION", "the enclave has no such function", "build enclave and program together"),
    (0x1007, "ECALL_NOT_ALLOWED", "the enclave may not be called at this point", "build enclave and program together"),
    (0x1008, "OCALL_NOT_ALLOWED", "the enclave may not call out at this point", "build enclave and program together"),
    (0x1009, "STACK_OVERRUN", "a stack of the enclave is too small", "raise the stack's size, and sign again"),
    (0x2000, "UNDEFINED_SYMBOL", "the enclave's image lacks a symbol", "build and sign it again"),
    (0x2002, "INVALID_ENCLAVE_ID", "the enclave has ended already", "start it again"),
    (0x2007, "MEMORY_MAP_CONFLICT", "a page of the enclave cannot be mapped", "update the driver and the SGX packages"),
    (0x2009, "INVALID_METADATA", "the enclave's metadata are wrong", "build and sign it again with one release"),
    (
        0x200D,
        "INVALID_VERSION",
        "runtime and signing tool are of different releases",
        "update the SGX packages together",
    ),
    (0x200E, "MODE_INCOMPATIBLE", "the enclave is for simulation and the runtime for hardware, or so", "use one kind"),
    (
        0x200F,
        "ENCLAVE_FILE_ACCESS",
        "the file of an enclave cannot be opened, such as Intel's quoting enclave",
        "install libsgx-ae-qe3, libsgx-ae-pce and libsgx-ae-id-enclave, on TDX hosts libsgx-ae-tdqe; check permissions",
    ),
    (0x2010, "INVALID_MISC", "the enclave asks for a feature that this processor lacks", "compare its MISCSELECT"),
    (
        0x3002,
        "INVALID_ATTRIBUTE",
        "the enclave asks for an attribute that it may not have here, or the processor lacks",
        f"{_DEVICES}; compare its attributes: ppmlctl enclave inspect",
    ),
    (0x3003, "INVALID_CPUSVN", "the key asked for is of a newer processor state", "seal anew on this machine"),
    (0x3004, "INVALID_ISVSVN", "the key asked for is of a newer enclave", "use the newer enclave, or seal anew"),
    (0x3005, "INVALID_KEYNAME", "there is no such key", "update the SGX packages together"),
    (0x3006, "UNSUPPORTED_FUNCTION", "the function is not supported", "update the SGX packages together"),
    (0x4008, "AE_SESSION_INVALID", "the session with aesmd has ended", "try again; systemctl status aesmd"),
    (0x4011, "KDF_MISMATCH", "both sides derive keys in different ways", "update both"),
    (0x4013, "UNSUPPORTED_CONFIG", "aesmd's configuration is not supported any more", "update the SGX packages"),
    (0x8002, "ATT_KEY_CERTIFICATION_FAILURE", "the attestation key was not certified", "read aesmd's log"),
    (0x8004, "INVALID_ATT_KEY_CERT_DATA", "the PCCS gave certification data that do not fit", "refresh the PCCS"),
    (0x9001, "TLS_X509_INVALID_EXTENSION", "a certificate carries no quote that can be read", "make it anew"),
    (0x8005, "PLATFORM_CERT_UNAVAILABLE", "the PCCS has no certificate for this platform", _REGISTER),
)
STATUSES = tuple(
    Explanation(f"SGX_ERROR_{name}", cause, remedy, _STATUS, number) for number, name, cause, remedy in _STATUSES
)

_NUMBERS = (
    (
        1,
        "UNEXPECTED_ERROR",
        "a fault of the quote provider that aesmd has no number for, such as 0xe047, 0xe049 or 0xe065",
        "read journalctl -u aesmd on the node for a number 0xe0… or 0xb0…, and explain that",
    ),
    (
        2,
        "NO_DEVICE_ERROR",
        "aesmd finds no SGX device on the node",
        "enable SGX in the BIOS, and look for /dev/sgx_enclave on the node",
    ),
    (3, "PARAMETER_ERROR", "aesmd was given a wrong parameter", "update Gramine and the SGX packages"),
    (4, "EPIDBLOB_ERROR", "EPID is over: its key is damaged", "attest by DCAP: sgx.remote_attestation of the manifest"),
    (5, "EPID_REVOKED_ERROR", "EPID is over: its key is revoked", "attest by DCAP"),
    (
        6,
        "GET_LICENSETOKEN_ERROR",
        "aesmd gave no launch token, which only processors without flexible launch control need",
        "use a processor with flexible launch control (FLC)",
    ),
    (7, "SESSION_INVALID", "the session with aesmd has ended", "try again; systemctl status aesmd"),
    (8, "MAX_NUM_SESSION_REACHED", "aesmd has too many sessions", "try again, with fewer enclaves that start at once"),
    (9, "PSDA_UNAVAILABLE", "platform services are over", "do without monotonic counters of the platform"),
    (
        12,
        "NETWORK_ERROR",
        "aesmd cannot reach the PCCS",
        "from the node: curl the PCCS_URL of /etc/sgx_default_qcnl.conf; then journalctl -u aesmd",
    ),
    (13, "NETWORK_BUSY_ERROR", "the server that aesmd asks is busy", "try again; read the PCCS's log"),
    (14, "PROXY_SETTING_ASSIST", "aesmd's proxy setting stands in the way", "correct the proxy of /etc/aesmd.conf"),
    (
        15,
        "FILE_ACCESS_ERROR",
        "aesmd cannot read or write its own files",
        "check free space and permissions of /var/opt/aesmd on the node",
    ),
    (16, "SGX_PROVISION_FAILED", "EPID is over: it was not provisioned", "attest by DCAP"),
    (17, "SERVICE_STOPPED", "aesmd is stopping", "systemctl status aesmd; then try again"),
    (18, "BUSY", "aesmd is busy", "try again"),
    (19, "BACKEND_SERVER_BUSY", "the server that aesmd asks is busy", "try again"),
    (20, "UPDATE_AVAILABLE", "the platform software is too old", "update the SGX packages and the BIOS"),
    (21, "OUT_OF_MEMORY_ERROR", "aesmd ran out of memory", "free memory on the node"),
    (22, "MSG_ERROR", "aesmd's talk with a server, or with the enclave, broke off", "journalctl -u aesmd; try again"),
    (23, "THREAD_ERROR", "aesmd cannot start a thread", "look at limits and memory of the node; restart aesmd"),
    (24, "SGX_DEVICE_NOT_AVAILABLE", "aesmd cannot use the SGX device", "look for /dev/sgx_enclave on the node"),
    (25, "ENABLE_SGX_DEVICE_FAILED", "SGX cannot be switched on by software here", "enable SGX in the BIOS"),
    (26, "PLATFORM_INFO_BLOB_INVALID_SIG", "EPID is over: what it told is not signed", "attest by DCAP"),
    (27, "SERVICE_NOT_AVAILABLE", "aesmd does not serve this", "install its plugins; restart aesmd"),
    (28, "KDF_MISMATCH", "both sides derive keys in different ways", "update Gramine and the SGX packages"),
    (29, "OUT_OF_EPC", "the EPC has no room for the quoting enclave", "run fewer or smaller enclaves on the node"),
    (
        30,
        "SERVICE_UNAVAILABLE",
        "aesmd lacks the plugin for ECDSA quotes",
        "install libsgx-quote-ex and libsgx-aesm-quote-ex-plugin; restart aesmd",
    ),
    (31, "UNRECOGNIZED_PLATFORM", "EPID is over: its server does not know the platform", "attest by DCAP"),
    (
        32,
        "ECDSA_ID_MISMATCH",
        "the stored attestation key is another quoting enclave's (0xe004)",
        "remove it from /var/opt/aesmd on the node, and restart aesmd: it makes a new one",
    ),
    (33, "PATHNAME_BUFFER_OVERFLOW_ERROR", "a path of aesmd is too long (0xe005)", "install its packages anew"),
    (34, "ERROR_STORED_KEY", "the stored attestation key is damaged (0xe007)", "restart aesmd: it makes a new one"),
    (35, "PUB_KEY_ID_MISMATCH", "the stored attestation key is another one (0xe008)", "restart aesmd"),
    (36, "INVALID_PCE_SIG_SCHEME", "the certification enclave signs otherwise (0xe009)", "update the SGX packages"),
    (37, "ATT_KEY_BLOB_ERROR", "the stored attestation key is damaged (0xe00a)", "restart aesmd: it makes a new one"),
    (38, "UNSUPPORTED_ATT_KEY_ID", "aesmd has no plugin for this kind of quote (0xe00b)", "install libsgx-quote-ex"),
    (39, "UNSUPPORTED_LOADING_POLICY", "quoting enclaves load in another way (0xe00c)", "update the SGX packages"),
    (
        40,
        "INTERFACE_UNAVAILABLE",
        "Intel's quoting enclave cannot be loaded (0xe00d)",
        "on the node: /dev/sgx_provision for the user aesmd (group sgx_prv); install libsgx-ae-qe3 and libsgx-ae-pce",
    ),
    (
        41,
        "PLATFORM_LIB_UNAVAILABLE",
        "the quote provider library is missing on the node (0xe00e)",
        "install libsgx-dcap-default-qpl; restart aesmd",
    ),
    (
        42,
        "ATT_KEY_NOT_INITIALIZED",
        "the attestation key is not there or no longer certified (0xe00f); Gramine initialises it and asks again once",
        "if it stays: journalctl -u aesmd on the node says what the quote provider answered",
    ),
    (
        43,
        "ATT_KEY_CERT_DATA_INVALID",
        "the PCCS gave certification data that do not fit (0xe010)",
        "refresh the PCCS, and compare the clocks: date -u",
    ),
    (
        44,
        "NO_PLATFORM_CERT_DATA",
        "the PCCS answers that it has no certificate of this platform (404, 0xe011)",
        _REGISTER,
    ),
    (
        45,
        "ERROR_REPORT",
        "the report cannot be verified (0xe013)",
        "aesmd has to run on the machine of the enclave: look at how its socket is mounted",
    ),
    (
        46,
        "ENCLAVE_LOST",
        "Intel's quoting enclave is gone (0xe014): the machine slept or moved, or EPC was taken from it",
        "restart aesmd on the node; in a virtual machine, look for a suspend or a migration",
    ),
    (
        47,
        "INVALID_REPORT",
        "the enclave's report is not of this machine (0xe015)",
        "aesmd has to run on the machine of the enclave: look at how its socket is mounted",
    ),
    (
        48,
        "ENCLAVE_LOAD_ERROR",
        "Intel's quoting enclaves cannot be loaded (0xe016): files, devices or permissions",
        "on the node: libsgx-ae-qe3, libsgx-ae-pce, libsgx-ae-id-enclave; /dev/sgx_provision for the user aesmd",
    ),
    (
        49,
        "UNABLE_TO_GENERATE_QE_REPORT",
        "the quoting enclave cannot make a report for this enclave (0xe017)",
        "update libsgx-ae-qe3 and libsgx-dcap-ql together; restart aesmd",
    ),
    (
        50,
        "KEY_CERTIFICATION_ERROR",
        "the PCCS certifies a newer TCB than the platform has (0xe018)",
        "register the platform anew after a change of BIOS; then refresh the PCCS",
    ),
)
AESM = (
    *(
        Explanation(
            f"AESM service returned error {number}",
            cause,
            remedy,
            f"{_AESM}, AESM_{name}; {_BUNDLE}",
            also=(f"aesm_service returned error: {number}", f"AESM_{name}", f"AESM error {number}"),
        )
        for number, name, cause, remedy in _NUMBERS
    ),
    Explanation(
        "Cannot connect to aesm_service",
        "aesmd does not run on the node, or its socket is not in the pod",
        "systemctl status aesmd on the node; mount /var/run/aesmd/aesm.socket, which must be a socket and not a folder",
        f"{_GRAMINE}/host_platform.c",
        also=("Cannot connect to AESM service",),
    ),
    Explanation(
        "Cannot communicate with AESM service",
        "something listens at aesmd's socket and breaks off: another release of aesmd, a restart, or no aesmd at all",
        "restart aesmd on the node, then the pod, whose mount keeps the old socket; compare their releases",
        f"{_GRAMINE}/host_platform.c; gramineproject/gramine issue 1810",
    ),
    Explanation(
        "AESM service returned wrong message",
        "aesmd answers another question than was asked: its release does not fit Gramine's",
        "update the SGX packages on the node and Gramine in the image",
        f"{_GRAMINE}/host_platform.c",
    ),
    Explanation(
        "AESM service returned invalid quote",
        "what aesmd gave is no quote",
        "update the SGX packages on the node and Gramine in the image",
        f"{_GRAMINE}/host_platform.c",
    ),
    Explanation(
        "Quoting Enclave returned invalid target info",
        "aesmd's quoting enclave does not fit",
        "update libsgx-ae-qe3 and libsgx-dcap-ql on the node together; restart aesmd",
        f"{_GRAMINE}/host_platform.c",
    ),
)
ROWS = (*STATUSES, *AESM)
