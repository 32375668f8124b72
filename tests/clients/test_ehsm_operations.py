"""The client's operations on keys and secrets: what a plan may send, and that no secret gets into a fault."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ppmlctl.clients.ehsm import EhsmClient, EhsmRefusedError, ServerTrust
from ppmlctl.clients.ehsm.operations import EFFECTS
from ppmlctl.diagnostics import EngineError, WriteRefusedError
from ppmlctl.effects import Effect, Effects
from ppmlctl.ehsm import Account, KeySpec
from ppmlctl.sandbox.ehsm import make_app
from ppmlctl.sandbox.ehsm.payloads import FIELDS
from ppmlctl.sandbox.ehsm.serving import served
from ppmlctl.sandbox.tls import ensure_certificates
from ppmlctl.secret import Secret

SOME_ID = "00000000-0000-0000-0000-000000000000"
VALUE = Secret("a-value-that-must-not-be-seen")


class Opened:
    """One embedded server, and two clients of it: one that may write, and a plan's."""

    def __init__(self, folder: Path, ca: Path, port: int) -> None:
        self.folder = folder

        def client(*, writes_allowed: bool) -> EhsmClient:
            effects = Effects("ehsm", writes_allowed=writes_allowed)
            place = ("127.0.0.1", port)
            return EhsmClient("https://ehsm.sandbox:9000", effects, trust=ServerTrust(ca=ca), connect_to=place)

        self.writing, self.planning = client(writes_allowed=True), client(writes_allowed=False)


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    folder = tmp_path_factory.mktemp("ehsm")
    certificates = ensure_certificates(folder / "tls")
    with served(make_app(folder), certificates) as port:
        opened = Opened(folder, certificates.ca, port)
        with opened.writing, opened.planning:
            yield opened


@pytest.fixture(scope="module")
def account(opened: Opened) -> Account:
    return opened.writing.enroll()


def test_every_action_of_the_server_has_a_declared_effect() -> None:
    assert EFFECTS.keys() >= FIELDS.keys()
    assert "DeleteAllKey" not in EFFECTS


def writes(client: EhsmClient, account: Account) -> list[Any]:
    keys, secrets = client.keys, client.secrets
    return [
        lambda: keys.create(account, KeySpec.AES_GCM_128),
        lambda: keys.enable(account, SOME_ID),
        lambda: keys.disable(account, SOME_ID),
        lambda: keys.delete(account, SOME_ID),
        lambda: keys.import_parameters(account, SOME_ID),
        lambda: keys.import_material(account, SOME_ID, b"x", "token"),
        lambda: secrets.create(account, "name", VALUE),
        lambda: secrets.put(account, "name", VALUE),
        lambda: secrets.describe_anew(account, "name", "text"),
        lambda: secrets.delete(account, "name", recovery_days=None),
        lambda: secrets.restore(account, "name"),
    ]


def test_a_plans_client_refuses_every_write_before_it_is_sent(opened: Opened, account: Account) -> None:
    before = (opened.folder / "requests.jsonl").read_text()
    for write in writes(opened.planning, account):
        with pytest.raises(WriteRefusedError):
            write()
    assert (opened.folder / "requests.jsonl").read_text() == before


def test_the_list_of_writes_above_is_whole(opened: Opened, account: Account) -> None:
    others = {"Enroll", "UploadQuotePolicy"}
    declared = [action for action, effect in EFFECTS.items() if effect is Effect.WRITE and action not in others]
    assert len(writes(opened.planning, account)) == len(declared)


def test_a_plan_reads_keys_and_secrets(opened: Opened, account: Account) -> None:
    keyid = opened.writing.keys.create(account, KeySpec.AES_GCM_128)
    opened.writing.secrets.create(account, "planned", VALUE, description="text")
    assert [key.keyid for key in opened.planning.keys.list(account)] == [keyid]
    assert [(one.name, one.description) for one in opened.planning.secrets.list(account)] == [("planned", "text")]
    found = opened.planning.secrets.get(account, "planned")
    assert found
    assert (found.data, found.version) == (VALUE, 1)
    assert opened.planning.secrets.describe(account, "unknown") is None


def test_no_secret_gets_into_a_fault(opened: Opened, account: Account) -> None:
    too_long = Secret(VALUE.reveal_text() * 400)
    for attempt in (
        lambda: opened.writing.secrets.create(account, "long", too_long),
        lambda: opened.writing.secrets.put(account, "unknown", VALUE),
        lambda: opened.writing.keys.encrypt(account, SOME_ID, VALUE),
    ):
        with pytest.raises(EhsmRefusedError) as caught:
            attempt()
        for word in (VALUE.reveal_text(), account.apikey.reveal_text()):
            assert word not in str(caught.value) + repr(caught.value)


@pytest.mark.parametrize("result", [None, [], {"list": "x"}, {"list": [{"keyid": "secret"}]}])
def test_an_answer_of_another_form_is_named_by_field_alone(
    opened: Opened, account: Account, monkeypatch: pytest.MonkeyPatch, result: Any
) -> None:
    answer = {"code": 200, "message": "success!", "result": result}
    monkeypatch.setattr("ppmlctl.clients.ehsm.exchange.JsonExchange.post", lambda *_: answer)
    with pytest.raises(EngineError) as caught:
        opened.planning.keys.list(account)
    assert caught.value.diagnostics[0].code == "ehsm-answer-wrong"
    assert "secret" not in str(caught.value)
