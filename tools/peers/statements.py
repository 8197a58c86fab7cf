"""Signed statements of every kind, read by code that is not ours.

    tools/peers/statements BINARY

in-toto-attestation parses each statement into its protobuf without unknown members and validates it; the predicates that
it knows (SLSA Provenance, VSA, test-result) are parsed as well, VSA and provenance without unknown members.
securesystemslib verifies each envelope, and refuses it once a byte of its payload is changed. Last line: how many checks held.
"""

import argparse
import base64
import json
import os
import pathlib
import subprocess
import sys
import tempfile

from google.protobuf import json_format
from in_toto_attestation.predicates.provenance.v1 import provenance_pb2
from in_toto_attestation.predicates.test_result.v0 import test_result_pb2
from in_toto_attestation.predicates.vsa.v1 import vsa_pb2
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.statement import Statement
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import SSlibKey
from cryptography.hazmat.primitives import serialization

# Predicates with a protobuf of their own, and whether it knows every member that we write: those of test-result have
# extension fields, which the specification lets producers add.
KNOWN = {
    "https://slsa.dev/provenance/v1": (provenance_pb2.Provenance, True),
    "https://slsa.dev/verification_summary/v1": (vsa_pb2.VerificationSummary, True),
    "https://in-toto.io/attestation/test-result/v0.1": (test_result_pb2.TestResult, False),
}


class Checks:
    def __init__(self):
        self.held, self.all = 0, 0

    def that(self, what, check):
        self.all += 1
        try:
            check()
            self.held += 1
        except Exception as e:  # whatever a library raises, the check did not hold
            print(f"FAILED {what}: {type(e).__name__}: {e}")


def read(payload):
    """The statement by the reference library: nothing unknown in it, and valid by its own rules."""
    pb = json_format.Parse(payload, statement_pb2.Statement())
    Statement.copy_from_pb(pb).validate()
    if pb.predicate_type in KNOWN:
        message, exact = KNOWN[pb.predicate_type]
        predicate = json.loads(payload)["predicate"]
        if message is vsa_pb2.VerificationSummary:
            # The protobuf of 0.9.3 has one text where the specification has a list of them.
            (predicate["verifiedLevels"],) = predicate["verifiedLevels"]
        json_format.ParseDict(predicate, message(), ignore_unknown_fields=not exact)


def canonical(payload):
    """For statements without fractions Python writes what RFC 8785 demands."""
    again = json.dumps(json.loads(payload), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    assert again == payload, "not canonical"


def verify(bundle, key):
    public = SSlibKey.from_crypto(serialization.load_pem_public_key(pathlib.Path(key).read_bytes()))
    envelope = json.loads(pathlib.Path(bundle).read_text())["dsseEnvelope"]
    envelope["signatures"][0]["keyid"] = public.keyid
    Envelope.from_dict(json.loads(json.dumps(envelope))).verify([public], 1)
    payload = bytearray(base64.b64decode(envelope["payload"]))
    payload[len(payload) // 2] ^= 1
    envelope["payload"] = base64.b64encode(bytes(payload)).decode()
    try:
        Envelope.from_dict(envelope).verify([public], 1)
    except VerificationError:
        return
    raise AssertionError("a changed payload verifies")


def make(binary, folder):
    """Signs one statement with each verb; gives pairs of bundle and public key."""
    os.chdir(folder)
    pathlib.Path("model").mkdir()
    pathlib.Path("model/config.json").write_text("{}\n")
    pathlib.Path("model/weights.bin").write_text("weights\n")
    pathlib.Path("data.csv").write_text("a,b\n1,2\n")

    def run(*args):
        done = subprocess.run([binary, *args], capture_output=True, text=True)
        if done.returncode != 0 and args[0] != "scan":
            sys.exit(f"bartizan {' '.join(args)}: exit {done.returncode}: {done.stderr}")

    made = []
    run("scan", "model", "--digest", "--format", "json", "--output", "scan.json")
    for kind in ("P-256", "P-384", "P-521", "Ed25519"):
        run("key", "generate", "-o", kind, "--kind", kind)
        for what, args in {
            "training": ("--subject", "model", "--dataset", "data.csv", "--code", "git:" + "1" * 40, "--param", "seed=7", "--started", "2026-11-01T08:00:00Z"),
            "evaluation": ("--subject", "model", "--dataset", "data.csv", "--metric", "accuracy=1>=1", "--report", "scan.json"),
            "scan": ("--subject", "model", "--report", "scan.json"),
            "approval": ("--subject", "model", "--purpose", "deploy", "--approver", "ana", "--expires", "1h"),
        }.items():
            run("attest", what, *args, "--key", kind, "--bundle", f"{what}-{kind}.json")
            made.append((f"{what}-{kind}.json", kind + ".pub"))
    return made


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bartizan", required=True)
    parser.add_argument("--golden", required=True)
    args = parser.parse_args()
    checks = Checks()
    for path in sorted(pathlib.Path(args.golden).glob("*.json")):
        payload = path.read_bytes()
        checks.that(f"{path.name} read", lambda: read(payload))
        if b"bartizan_metrics" not in payload:
            checks.that(f"{path.name} canonical", lambda: canonical(payload))
    with tempfile.TemporaryDirectory() as folder:
        for bundle, key in make(os.path.abspath(args.bartizan), folder):
            payload = base64.b64decode(json.loads(pathlib.Path(bundle).read_text())["dsseEnvelope"]["payload"])
            checks.that(f"{bundle} verified", lambda: verify(bundle, key))
            checks.that(f"{bundle} read", lambda: read(payload))
            checks.that(f"{bundle} canonical", lambda: canonical(payload))
        os.chdir("/")
    print(f"statements: {checks.held} of {checks.all} checks by in-toto-attestation and securesystemslib held")
    sys.exit(checks.held != checks.all)


if __name__ == "__main__":
    main()
