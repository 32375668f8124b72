"""`ppmlctl explain`"""

from __future__ import annotations

import io
import json

import pytest

from ppmlctl.cli.main import run


def test_it_tells_cause_remedy_and_source(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", "AESM service returned error 44"]) == 0
    assert capsys.readouterr().out == (
        "AESM service returned error 44\n"
        "  cause   the PCCS answers that it has no certificate of this platform (404, 0xe011)\n"
        "  remedy  register the platform with Intel, and check the PCCS's API key in its log\n"
        "  source  intel/linux-sgx psw/ae/inc/internal/aesm_error.h, AESM_NO_PLATFORM_CERT_DATA; "
        "intel/linux-sgx psw/ae/aesm_service/source/bundles/ecdsa_quote_service_bundle/ecdsa_quote_service_bundle.cpp\n"
    )


def test_an_own_code_tells_what_the_source_says_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", "rootfs-needs-oci"]) == 0
    assert capsys.readouterr().out.startswith("rootfs-needs-oci: this builder takes no root file system\n  cause   ")


def test_a_log_may_come_on_standard_input(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("quote error 0xe011\nAttestation Fail! Application killed!\n"))
    assert run(["explain", "-", "-o", "json"]) == 0
    told = json.loads(capsys.readouterr().out)["explanations"]
    names = ["0xe011 SGX_QL_NO_PLATFORM_CERT_DATA", "Attestation Fail! Application killed!"]
    assert [row["name"] for row in told] == names
    assert set(told[0]) == {"name", "cause", "remedy", "source"}


def test_what_is_not_known_is_said_with_what_is_near(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", "aesmd socket"]) == 1
    assert capsys.readouterr().err == (
        "error[explain-unknown]: nothing is known about this\n"
        "  is   aesmd socket\n"
        "  fix  nearest: Cannot connect to aesm_service; Cannot communicate with AESM service\n"
    )
    assert run(["explain", "lockfle-missing"]) == 1
    assert capsys.readouterr().err.splitlines()[-1].startswith("  fix  nearest: lockfile-missing")
    assert run(["explain", "zzz", "-o", "json"]) == 1
    assert json.loads(capsys.readouterr().out) == {"explanations": [], "nearest": []}
