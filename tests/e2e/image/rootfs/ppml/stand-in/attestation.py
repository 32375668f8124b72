"""Stand-in for BigDL's attestation client: asks EHSM, by a real signed VerifyQuote, or BigDL's service for a verdict.

A quote needs SGX or TDX. So the quote is asked from the platform that the sandbox's service simulates: for the
measurement in the signature under which the stand-in of gramine-sgx was started, or for one made-up domain, where the
domain's device is mounted. Any other service has no such platform, and then nothing is attested.

Everything else is as upstream's: the options, the words for each answer, no look at the server's certificate, at HTTP's
status or at EHSM's signature, and an exception of Java, status 1, for an answer that it does not expect.
"""

import argparse
import base64
import hashlib
import hmac
import json
import os
import pathlib
import ssl
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

ACCEPTED, ACCEPTED_WITH_POLICY, OUTDATED = 0xA000, 0, {0xA001, 0xA002, 0xA003, 0xA007, 0xA008}
TIMEOUT_SECONDS = 20
EHSM, BIGDL = "EHSMAttestationService", "BigDLRemoteAttestationService"
DOMAIN, DEVICE = "7d" * 48, "/dev/tdx-attest"
OUTDATED_WARNING = "WARNING: Attestation pass but BIOS or the software is out of date."


class UncaughtError(Exception):
    """What is an exception in Java that upstream's client does not catch."""

    def __init__(self, java_class, message):
        super().__init__(f"{java_class}: {message}")


def json_error(message):
    """As Java's JSON library says it."""
    return UncaughtError("org.json.JSONException", message)


def client_error(message):
    """The client's own."""
    return UncaughtError("com.intel.analytics.bigdl.ppml.attestation.AttestationRuntimeException", message)


class Server:
    """One service, and the account at it."""

    def __init__(self, url, app_id, api_key):
        self._host, self._port = [*url.split(":"), ""][:2]  # no scheme: parts 0 and 1, as upstream's
        self._app_id, self._api_key = app_id, api_key
        self._tls = ssl.create_default_context()
        self._tls.check_hostname, self._tls.verify_mode = False, ssl.CERT_NONE

    def quote(self, **shown):
        """A simulated platform's quote in base64; None where the service simulates none."""
        return self._json(f"/quote?{urllib.parse.urlencode(shown)}").get("quote")

    def verify_at_bigdl(self, quote, policy_id):
        """BigDL's service: whether it accepts."""
        body = {"appID": self._app_id, "apiKey": self._api_key, "quote": quote}
        result = member(
            self._json("/verifyQuote", body | ({"policyID": policy_id} if policy_id else {})), "result", int
        )
        if result == 1:
            print(OUTDATED_WARNING)
        return result in {0, 1}

    def verify_at_ehsm(self, quote, policy_id):
        """EHSM: whether it accepts."""
        body = {"appid": self._app_id, "timestamp": str(int(time.time() * 1000))}
        body["payload"] = {"quote": quote, "nonce": "test"} | ({"policyId": policy_id} if policy_id else {})
        verdict = member(
            self._json("/ehsm?Action=VerifyQuote", {**body, "sign": self._signature(body)}), "result", dict
        )
        print(f"postResult:{json.dumps(verdict, separators=(',', ':'))}")
        member(verdict, "sign", str)
        result = member(verdict, "result", int)
        if result in OUTDATED:
            print(OUTDATED_WARNING, f"Result={result:#x}")
            return True
        if result == ACCEPTED or (policy_id and result == ACCEPTED_WITH_POLICY):
            return True
        if policy_id:
            print(f"ERROR: Attestation fail. Result={result:x}")
        return False

    def _signature(self, fields):
        """EHSM's signature over what is not empty."""
        key = self._api_key.encode()
        return base64.b64encode(hmac.new(key, signed_text(fields).encode(), hashlib.sha256).digest()).decode()

    def _json(self, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        url = f"https://{self._host}:{self._port}{path}"
        request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, context=self._tls, timeout=TIMEOUT_SECONDS) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            text = error.read()
        except (OSError, ValueError) as error:
            where = f"Connect to {self._host}:{self._port} failed"
            raise UncaughtError("org.apache.http.conn.HttpHostConnectException", f"{where}: {error}") from None
        try:
            document = json.loads(text)
        except ValueError:
            document = None
        if not isinstance(document, dict):
            raise json_error("A JSONObject text must begin with '{' at 1 [character 2 line 1]")
        return document


def member(document, name, kind):
    """A member of an answer, of the kind that upstream's client takes it for."""
    names = {dict: "a JSONObject", int: "an int", str: "a string"}
    if name not in document:
        raise json_error(f'JSONObject["{name}"] not found.')
    if not isinstance(document[name], kind):
        raise json_error(f'JSONObject["{name}"] is not {names[kind]}.')
    return document[name]


def signed_text(value):
    """The text under a signature: names in order, zero and empty values left out, objects without brackets."""
    if not isinstance(value, dict):
        return str(value)
    kept = sorted((name, part) for name, part in value.items() if part not in ("", 0, None))
    return "&".join(f"{name}={signed_text(part)}" for name, part in kept)


def quoted(server, quote_type):
    """A quote of what this process runs in."""
    if quote_type == "TDX":
        return domain_quote(server)
    if quote_type != "gramine":
        raise client_error("Wrong quote type")
    signature = os.environ.get("STAND_IN_ENCLAVE")
    if not signature:
        raise client_error("Failed to persist user report data to Gramine!")
    sigstruct = pathlib.Path(signature).read_bytes()
    mr_enclave, mr_signer = sigstruct[960:992].hex(), hashlib.sha256(sigstruct[128:512]).hexdigest()
    print(f"stand-in: a simulated quote of {mr_enclave}", flush=True)
    quote = server.quote(mr_enclave=mr_enclave, mr_signer=mr_signer)
    if quote is None:
        raise client_error("Failed to obtain quote content from file to buffer!")
    return quote


def domain_quote(server):
    """A quote of the made-up domain."""
    quote = None
    if pathlib.Path(DEVICE).exists():
        print(f"stand-in: a simulated quote of {DOMAIN}", flush=True)
        quote = server.quote(mr_td=DOMAIN)
    if quote is None:
        raise client_error(f"stand-in: nothing at {DEVICE} quotes this domain")
    return quote


def arguments():
    """The options that attestation.sh writes."""
    parser = argparse.ArgumentParser()
    for name in ("-u", "-i", "-k"):
        parser.add_argument(name, required=True)
    parser.add_argument("-o", default="", dest="policy_id")
    parser.add_argument("-t", default=EHSM, dest="type")
    parser.add_argument("-O", default="gramine", dest="quote_type")
    for unheeded in ("-c", "--proxyHost", "--proxyPort"):
        parser.add_argument(unheeded)
    return parser.parse_args()


def is_accepted(given):
    """The verdict of the service that was named."""
    server = Server(given.u, given.i, given.k)
    judges = {EHSM: server.verify_at_ehsm, BIGDL: server.verify_at_bigdl}
    if given.type not in judges:
        raise client_error("Wrong Attestation Service type")
    quote = quoted(server, given.quote_type)
    if os.environ.get("ATTESTATION_DEBUG") == "true":
        print(f"quote: {quote}")
    return judges[given.type](quote, given.policy_id)


def main():
    """0 where the job may go on."""
    try:
        accepted = is_accepted(arguments())
    except UncaughtError as error:
        print(f'Exception in thread "main" {error}', file=sys.stderr)
        return 1
    if accepted:
        print("Attestation Success!")
        return 0
    if os.environ.get("ATTESTATION_DEBUG") == "true":
        print("ERROR:Attestation Fail! In debug mode, continue.")
        return 0
    print("Attestation Fail! Application killed!")
    return 1


if __name__ == "__main__":
    sys.exit(main())
