"""Signatures both ways: what model_signing signs Bartizan verifies, what Bartizan signs model_signing verifies, and a
changed tree is refused by both.

    tools/peers/signing BINARY [--quick]

Trees: plain; unicode names; empty folders and files; ignored paths; one file. Each with sha256, blake2b and blake3, whole and
in shards, with keys on P-256, P-384 and P-521 and with a certificate. --cases is a folder of tools/mutate: both verifiers
give their answers to its cases.
"""

import argparse
import concurrent.futures
import json
import logging
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile

import theirs

CODE = re.compile(r"^[A-Z][A-Z0-9]+(_[A-Z0-9]+)+\b")
HASHES = ("sha256", "blake2b", "blake3")
SHARDS = (0, 1000, 1_000_000)
SIGNERS = ("p256", "p384", "p521", "certificate")
IGNORED = ("notes.txt", "logs")


def trees(folder, rng):
    """Folders by name, and the paths that are ignored in each."""
    plain = {"config.json": b"{}\n", "weights/model-00001.safetensors": rng.randbytes(1_500_001), "weights/model-00002.safetensors": rng.randbytes(3000),
             "a/b": b"1", "a-b": b"2", "ab": b"3", ".hidden": b"h", "deep/" + "d/" * 20 + "leaf": b"x"}
    unicode = {"n\u00e4me/\u6a21\u578b \u2603.bin": rng.randbytes(2500), "emoji \U0001f600/x": b"1", "\u0645\u0644\u0641": b"2", "a b/c+d%20(1).txt": b"3",
               "e\u0301t\u00e9": b"4", "'\"$`!#&;": b"5", "\uff21": b"6", "zz\uffff": b"7", "zz\U00010000": b"8"}
    empty = {"x.txt": b"x", "empty.txt": b"", "sub/__init__.py": b"", "sub/model.bin": rng.randbytes(2000)}
    ignoring = {**plain, "notes.txt": b"to do\n", "logs/run.log": b"step 1\n", "logs/old/run.log": b"step 0\n", ".git/config": b"[core]\n", ".gitignore": b"x\n"}
    every = {"plain": (plain, ()), "unicode": (unicode, ()), "empty": (empty, ()), "ignoring": (ignoring, IGNORED)}
    for name, (files, _) in every.items():
        for file, data in files.items():
            path = folder / name / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        (folder / name / "nothing here" / "at all").mkdir(parents=True)
    (folder / "single").mkdir()
    (folder / "single" / "model.bin").write_bytes(rng.randbytes(2500))
    return {**{name: (folder / name, ignore) for name, (_, ignore) in every.items()}, "one file": (folder / "single" / "model.bin", ())}


def changed(tree, copy, rng):
    """A copy of the tree with one signed thing changed; says what."""
    if tree.is_file():
        copy.write_bytes(tree.read_bytes()[:-1] + b"!")
        return "last byte", copy
    shutil.copytree(tree, copy, symlinks=True)
    files = sorted(p for p in copy.rglob("*") if p.is_file() and p.stat().st_size and not str(p.relative_to(copy)).startswith((".git", "logs", "notes.txt")))
    path = rng.choice(files)
    what = rng.choice(("flip", "cut", "longer", "remove", "rename", "add", "link", "swap"))
    data = path.read_bytes()
    if what == "flip":
        at = rng.randrange(len(data))
        path.write_bytes(data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1:])
    elif what == "cut":
        path.write_bytes(data[:-1])
    elif what == "longer":
        path.write_bytes(data + b"\0")
    elif what == "remove":
        path.unlink()
    elif what == "rename":
        path.rename(path.with_name(path.name + ".old"))
    elif what == "add":
        (path.parent / "new.pkl").write_bytes(b"x")
    elif what == "link":
        path.unlink()
        path.symlink_to(tree / path.relative_to(copy))
    else:
        other = rng.choice([p for p in files if p.read_bytes() != data])
        path.write_bytes(other.read_bytes())
        other.write_bytes(data)
    return f"{what} {path.relative_to(copy)}", copy


class Ours:
    """The binary, through its command line and its report."""

    def __init__(self, binary, keys):
        self.binary, self.keys = binary, keys

    def run(self, *args):
        done = subprocess.run([self.binary, *map(str, args), "--format", "json"], capture_output=True, text=True, timeout=120)
        try:
            report = json.loads(done.stdout)["subjects"][0]
        except (ValueError, LookupError, TypeError):
            return "exit %d: %s" % (done.returncode, done.stderr.strip()[-200:])
        if report["verdict"] == "clean" and done.returncode == 0:
            return ""
        reasons = report.get("reasons") or [""]
        if report["verdict"] == "clean" or done.returncode != 1 or not CODE.match(reasons[0]):
            return "verdict %s, exit %d, %s" % (report["verdict"], done.returncode, reasons[:1])
        return reasons[0]

    def sign(self, path, bundle, signer, algorithm, shards, ignore):
        args = ["sign", path, "--bundle", bundle, "--hash", algorithm]
        if signer == "certificate":
            args += ["--key", self.keys / "leaf.pem", "--certificate", self.keys / "leaf.crt", "--certificate-chain", self.keys / "between.crt"]
        else:
            args += ["--key", self.keys / (signer + ".pem")]
        if shards:
            args += ["--shards", shards]
        for i in ignore:
            args += ["--ignore", i]
        return self.run(*args)

    def verify(self, path, bundle, key=None, root=None):
        trust = ["--key", key] if key else ["--certificate-chain", root]
        return self.run("verify", path, "--bundle", bundle, *trust)


class Tally:
    def __init__(self):
        self.right, self.all, self.wrong = 0, 0, []

    def check(self, what, good, why):
        self.all += 1
        self.right += bool(good)
        if not good:
            self.wrong.append(f"{what}: {why or 'accepted'}")


def both_ways(args, ours, keys, folder):
    rng = random.Random(args.seed)
    tally = {"model_signing signs, bartizan verifies": Tally(), "bartizan signs, model_signing verifies": Tally(),
             "bartizan refuses the changed tree": Tally(), "model_signing refuses the changed tree": Tally()}
    number = 0
    for name, (tree, ignore) in trees(folder, rng).items():
        for algorithm in HASHES:
            for shards in SHARDS:
                if shards and algorithm == "blake3":
                    continue  # model_signing signs whole files there
                for signer in SIGNERS if not args.quick or algorithm == "sha256" else SIGNERS[:1]:
                    number += 1
                    one_way(ours, keys, folder / str(number), tree, ignore, algorithm, shards, signer, rng, tally,
                            f"{name}, {algorithm}, shards {shards}, {signer}")
    return tally


def one_way(ours, keys, at, tree, ignore, algorithm, shards, signer, rng, tally, what):
    at.mkdir()
    trust = {"root": keys / "root.crt"} if signer == "certificate" else {"key": keys / (signer + ".pub")}
    told = (algorithm, shards)
    change, other = changed(tree, at / tree.name, rng)
    for by, bundle in (("model_signing", at / "theirs.sig"), ("bartizan", at / "ours.sig")):
        if by == "bartizan":
            why = ours.sign(tree, bundle, signer, algorithm, shards, ignore)
            reader = "bartizan signs, model_signing verifies"
        else:
            why = theirs.sign(tree, bundle, keys, signer, algorithm, shards, ignore)
            reader = "model_signing signs, bartizan verifies"
        if why:
            tally[reader].check(f"{what}: {by} does not sign", False, why)
            continue
        own, peer = ours.verify(tree, bundle, **trust), theirs.verify(tree, bundle, told=told, ignore=ignore, **trust)
        tally[reader].check(what, not (peer if by == "bartizan" else own), peer if by == "bartizan" else own)
        if by == "bartizan" and own:
            tally[reader].check(f"{what}: by bartizan itself", False, own)
        why = ours.verify(other, bundle, **trust)
        tally["bartizan refuses the changed tree"].check(f"{what}, {by}'s bundle, {change}", why.startswith("OMS_"), why)
        why = theirs.verify(other, bundle, told=told, ignore=ignore, **trust)
        tally["model_signing refuses the changed tree"].check(f"{what}, {by}'s bundle, {change}", why, why)
    shutil.rmtree(at)


def refused(ours, keys, folder, tally):
    """What one side refuses by design: another signer, another method, weights that the signer ignores."""
    t = tally["another signer, method, or ignored weights"] = Tally()
    tree, bundle, cert = folder / "plain", folder / "p256.sig", folder / "cert.sig"
    for signer, to in (("p256", bundle), ("certificate", cert)):
        t.check("model_signing signs", not (why := theirs.sign(tree, to, keys, signer)), why)
    for what, path, trust, code in (
            ("another key", bundle, {"key": keys / "other.pub"}, ("KEY_MISMATCH", "DSSE_SIG_INVALID")),
            ("another root", cert, {"root": keys / "stranger-root.crt"}, ("CERT_UNTRUSTED",)),
            ("a key's bundle by certificate", bundle, {"root": keys / "root.crt"}, ("METHOD_MISMATCH",)),
            ("a certificate's bundle by key", cert, {"key": keys / "p256.pub"}, ("METHOD_MISMATCH",))):
        t.check(what, (why := ours.verify(tree, path, **trust)).startswith(code), why)
        t.check(what + ", model_signing", theirs.verify(tree, path, **trust), "")
    hidden = folder / "hidden.sig"
    t.check("model_signing signs without the weights", not (why := theirs.sign(tree, hidden, keys, "p256", ignore=["weights"])), why)
    t.check("weights that the signer ignores", (why := ours.verify(tree, hidden, key=keys / "p256.pub")).startswith("POLICY_IGNORE_FORBIDDEN"), why)


def by_command(ours, keys, folder, tally):
    """The command lines of both, with no setting of ours in between."""
    t = tally["command lines"] = Tally()
    tree, command = folder / "plain", pathlib.Path(sys.prefix, "bin", "model_signing")

    def run(*args):
        done = subprocess.run([command, *map(str, args)], capture_output=True, text=True, timeout=120)
        return "" if done.returncode == 0 else "exit %d: %s" % (done.returncode, (done.stdout + done.stderr).strip()[-200:])
    t.check("model_signing sign key", not (why := run("sign", "key", tree, "--private_key", keys / "p256.pem", "--signature", folder / "c1.sig")), why)
    t.check("bartizan verify", not (why := ours.verify(tree, folder / "c1.sig", key=keys / "p256.pub")), why)
    t.check("bartizan sign", not (why := ours.sign(tree, folder / "c2.sig", "p384", "sha256", 0, ())), why)
    t.check("model_signing verify key", not (why := run("verify", "key", tree, "--public_key", keys / "p384.pub", "--signature", folder / "c2.sig")), why)


def mutated(args, ours):
    """Both verifiers on the cases of tools/mutate."""
    with open(pathlib.Path(args.cases, "cases.jsonl")) as f:
        cases = [json.loads(line) for line in f]

    def trust(c):
        return {"key": c["key"]} if c.get("key") else {"root": c["roots"]}

    def own(c):
        return ours.verify(c["path"], c["bundle"], **trust(c))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        answers = {"bartizan": list(pool.map(own, cases))}
    if not args.own:
        answers["model_signing"] = [theirs.verify(c["path"], c["bundle"], **trust(c)) for c in cases]
    good = True
    print("\n%-14s %10s %16s %16s %14s" % ("mutations", "right", "wrongly accepted", "wrongly refused", "without code"))
    for who, got in answers.items():
        accepted = [c["name"] for c, why in zip(cases, got) if c["want"] == "reject" and not why]
        refusals = [c["name"] + ": " + why for c, why in zip(cases, got) if c["want"] == "accept" and why]
        uncoded = [c["name"] + ": " + why for c, why in zip(cases, got) if why and c["want"] != "accept" and not any(why.startswith(code) for code in c.get("codes", []))]
        right = len(cases) - len(accepted) - len(refusals)
        print("%-14s %10s %16d %16d %14s" % (who, f"{right} of {len(cases)}", len(accepted), len(refusals), len(uncoded) if who == "bartizan" else "-"))
        if who == "bartizan":
            good = not (accepted or refusals or uncoded)
            for line in (accepted + refusals + uncoded)[:40]:
                print("  " + line)
        elif args.show:
            for line in accepted + refusals:
                print("  " + line)
    return good


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bartizan", required=True)
    parser.add_argument("--cases", help="folder of tools/mutate")
    parser.add_argument("--own", action="store_true", help="the mutations for bartizan alone")
    parser.add_argument("--quick", action="store_true", help="every signer with sha256 only")
    parser.add_argument("--show", action="store_true", help="name what model_signing answers otherwise")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory(prefix="bartizan-signing-") as name:
        folder = pathlib.Path(name)
        keys = folder / "keys"
        keys.mkdir()
        theirs.make_keys(keys)
        ours = Ours(args.bartizan, keys)
        tally = both_ways(args, ours, keys, folder)
        refused(ours, keys, folder, tally)
        by_command(ours, keys, folder, tally)
    good = True
    for what, t in tally.items():
        print("%-46s %d of %d" % (what, t.right, t.all))
        for line in t.wrong[:10]:
            print("  " + line)
        good = good and not t.wrong
    if args.cases:
        good = mutated(args, ours) and good
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
