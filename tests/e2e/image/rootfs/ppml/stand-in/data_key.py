"""Stand-in for BigDL's key client: has EHSM unwrap a data key by a real, signed Decrypt, and prints it.

As upstream's, it takes the account from `APPID` and `APIKEY`, which are not the names that the scripts check, reads the
first line of each key file, sends the additional data `test`, and does not check the server's certificate.
"""

import argparse
import os
import pathlib
import sys

from attestation import AttestationError, Server


def first_line(path):
    """What upstream's client reads of a key file."""
    return pathlib.Path(path).read_text().splitlines()[0]


def main():
    """0 with the key in base64 on the standard output."""
    parser = argparse.ArgumentParser()
    for name in ("--host", "--port", "--primary-key", "--data-key"):
        parser.add_argument(name, required=True)
    given = parser.parse_args()
    for name in ("APPID", "APIKEY"):
        if name not in os.environ:
            print(f"stand-in: the key client reads the account from {name}, which is not set", file=sys.stderr)
            return 1
    server = Server(f"{given.host}:{given.port}", os.environ["APPID"], os.environ["APIKEY"])
    payload = {"keyid": first_line(given.primary_key), "ciphertext": first_line(given.data_key), "aad": "test"}
    try:
        answer = server.call("Decrypt", payload)
    except AttestationError as error:
        print(f"stand-in: {error}", file=sys.stderr)
        return 1
    if answer["code"] != 200:
        print(
            f"stand-in: EHSM does not unwrap the data key ({answer['code']} {answer.get('message')})", file=sys.stderr
        )
        return 1
    print(answer["result"]["plaintext"])
    return 0


if __name__ == "__main__":
    sys.exit(main())
