"""What messages of the stack mean, as logs and people give them."""

from __future__ import annotations

import re

import pytest

from ppmlctl.explanations import TABLE, answer_of_ehsm, explained, meanings, nearest


def names(text: str) -> list[str]:
    return [row.name for row in explained(text)]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("0xe011", "0xe011 SGX_QL_NO_PLATFORM_CERT_DATA"),
        ("0xe019", "0xe019 SGX_QL_NETWORK_ERROR"),
        ("0xE065", "0xe065 SGX_QL_ROOT_CA_UNTRUSTED"),
        (" e001 ", "0xe001 SGX_QL_ERROR_UNEXPECTED"),
        ("4004", "0x4004 SGX_ERROR_SERVICE_INVALID_PRIVILEGE"),
        ("57369", "0xe019 SGX_QL_NETWORK_ERROR"),
        ("0x0000e019", "0xe019 SGX_QL_NETWORK_ERROR"),
        ("a007", "0xa007 SGX_QL_QV_RESULT_SW_HARDENING_NEEDED"),
        ("Error in sgx_qe_get_target_info. 0xe019", "0xe019 SGX_QL_NETWORK_ERROR"),
        ("[QPL] Failed to get quote config. Error code is 0xe067", "0xe067 SGX_QL_CONFIG_INVALID_JSON"),
        ("error: AESM service returned error 1", "AESM service returned error 1"),
        ("error: AESM service returned error 44", "AESM service returned error 44"),
        ("sgx_ql_tcb_out_of_date", "0xe027 SGX_QL_TCB_OUT_OF_DATE"),
        ("ENCLAVE EINIT FAILED  -  invalid signature", "enclave EINIT failed - Invalid signature"),
        ("0/1 nodes: 1 Insufficient sgx.intel.com/epc.", "Insufficient sgx.intel.com/…"),
        ("OOMKilled, exit code 137", "OOMKilled"),
        ("Evicted: The node was low on resource: memory.", "The node was low on resource"),
        (
            "DeadlineExceeded: Pod was active on the node longer than the specified deadline",
            "was active … longer than … specified deadline",
        ),
        (
            "DeadlineExceeded: Job was active longer than specified deadline",
            "was active … longer than … specified deadline",
        ),
        (
            'StartError, exit code 128 failed: exec: "bash": executable file not found in $PATH: unknown',
            'exec: "…": executable file not found',
        ),
        ("[ERROR] Attestation is enabled, but APP_ID is empty!", "Attestation is enabled, but … is empty!"),
        # Lines that people ask for most often.
        ("AESM service returned error 46", "AESM service returned error 46"),
        ("error: aesm_service returned error: 30", "AESM service returned error 30"),
        ("AESM_ENCLAVE_LOAD_ERROR", "AESM service returned error 48"),
        (
            "(host_platform.c:127) error: Cannot communicate with AESM service (read/write failed: Invalid argument)",
            "Cannot communicate with AESM service",
        ),
        ("[QPL] Failed to get quote config. Error code is 0xb011", "0xb011 SGX_QCNL_ERROR_STATUS_UNEXPECTED"),
        ("[QPL] Failed to get quote config. Error code is 0xb033", "0xb033 SGX_QCNL_ROOT_CA_UNTRUSTED"),
        ("[QPL] Failed to get quote config. Error code is b006", "0xb006 SGX_QCNL_NETWORK_COULDNT_CONNECT"),
        ("SGX_QCNL_ERROR_STATUS_NO_CACHE_DATA", "0xb00f SGX_QCNL_ERROR_STATUS_NO_CACHE_DATA"),
        ("tee_att_get_quote_size return 0x11001", "0x11001 TEE_ATT_ERROR_UNEXPECTED"),
        ("11011", "0x11011 TEE_ATT_NO_PLATFORM_CERT_DATA"),
        ("TEE_NO_PLATFORM_CERT_DATA", "0xe011 SGX_QL_NO_PLATFORM_CERT_DATA"),
        ("TDX_ATTEST_ERROR_QUOTE_FAILURE", "TDX_ATTEST_ERROR_QUOTE_FAILURE"),
        (
            "[load_qe ../qe_logic.cpp:641] Error, call sgx_create_enclave QE fail [load_qe], SGXError:4004.",
            "0x4004 SGX_ERROR_SERVICE_INVALID_PRIVILEGE",
        ),
        ("[load_pce ../pce_logic.cpp:1] PCE fail, SGXError:200f.", "0x200f SGX_ERROR_ENCLAVE_FILE_ACCESS"),
        ("error: sgx_pce returned 0xf007", "0xf007 SGX_PCE_INVALID_PRIVILEGE"),
        (
            "org.apache.spark.SparkException: External scheduler cannot be instantiated",
            "External scheduler cannot be instantiated",
        ),
        (
            "WARN TaskSchedulerImpl: Initial job has not accepted any resources; check your cluster UI to ensure that",
            "Initial job has not accepted any resources",
        ),
        ("javax.net.ssl.SSLHandshakeException: PKIX path building failed", "PKIX path building failed"),
        (
            "Initial heap size set to a larger value than the maximum heap size",
            "Initial heap size set to a larger value than the maximum heap size",
        ),
        ('org.json.JSONException: JSONObject["sign"] not found.', 'JSONObject["sign"] not found'),
        (
            "python3: can't open file '/ppml/kms/client.py': [Errno 2] No such file or directory",
            "can't open file '/ppml/kms/client.py'",
        ),
        ("lockfile-missing", "lockfile-missing: the lockfile is missing, and its vault is here"),
        ("error[rootfs-needs-oci]: this builder takes", "rootfs-needs-oci: this builder takes no root file system"),
        ("EHSM says: Timestamp can't be repeated in 20 minutes", "Timestamp can't be repeated in 20 minutes"),
    ],
)
def test_a_number_or_a_line_finds_its_row(text: str, name: str) -> None:
    assert names(text) == [name]


def test_a_log_gives_each_row_once_in_the_order_of_its_lines() -> None:
    log = "start\n[get_platform_quote_cert_data] Error 0xe019\nAESM service returned error 12\nagain: error 0xe019\n"
    assert names(log) == ["0xe019 SGX_QL_NETWORK_ERROR", "AESM service returned error 12"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Pi is roughly 3.14",
        "0xe0ff",
        "mapped at 0x4004",
        "error at 0xe0190000",
        "AESM service returned error 443",
        "error in attempt b033-77 of status-a001",
        "exit code 4004",
        "some-thing-else",
    ],
)
def test_what_is_not_known_is_not_explained(text: str) -> None:
    assert explained(text) == []


def test_a_log_means_its_last_faults_in_their_order_and_not_what_it_informs_about() -> None:
    log = """
        [INFO] Attestation is disabled!
        error 0xe00f
        error 0x4004
        error 0xe019
        retried: error 0x4004
        ERROR: AESM service returned error 42
        Attestation Fail! Application killed!
    """
    meant = [line.partition(": ")[0] for line in meanings(log)]
    assert meant == [
        "0x4004 SGX_ERROR_SERVICE_INVALID_PRIVILEGE",
        "AESM service returned error 42",
        "Attestation Fail! Application killed!",
    ]
    assert meanings("Pi is roughly 3.14\n[INFO] Attestation is disabled!") == []


def test_a_meaning_has_cause_and_remedy() -> None:
    (row,) = explained("0xe065")
    assert "TLS certificate of the PCCS" in row.cause
    assert meanings("quote failed with 0xe065") == [f"{row.name}: {row.cause}; {row.remedy}"]


def test_the_nearest_rows_share_words() -> None:
    first, *_ = nearest("the platform certificate seems to be missing for this")
    assert first.name == "0xe011 SGX_QL_NO_PLATFORM_CERT_DATA"
    assert nearest("zzz") == []


@pytest.mark.parametrize(
    "text",
    [
        "the enclave has failed, and this service has an error",
        "java.lang.IllegalStateException: the server failed",
    ],
)
def test_words_that_many_rows_have_make_no_neighbour(text: str) -> None:
    assert nearest(text) == []


def test_every_answer_of_ehsm_is_found_word_for_word() -> None:
    found = answer_of_ehsm("sign error")
    assert found
    assert found.cause == "the apikey is not this account's"
    assert answer_of_ehsm("sign errors") is None


def test_every_row_says_everything_and_finds_itself_first() -> None:
    assert len({row.name for row in TABLE}) == len(TABLE)
    assert len({row.number for row in TABLE if row.number}) == sum(row.number is not None for row in TABLE)
    for row in TABLE:
        assert row.cause
        assert row.remedy
        assert re.search(r"[a-z]", row.source)
        text = row.words.replace("…", "x") if row.number is None else f"{row.number:#x}"
        assert row in explained(text)
