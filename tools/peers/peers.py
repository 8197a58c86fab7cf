"""Bartizan beside other scanners: speed on dense and on small files, and verdicts on labelled files.

    tools/peers/run BINARY [--tools picklescan,modelscan,fickling,modelaudit] [--limit SECONDS] [--seconds-dense N]

Speeds are CPU time (user and system): for the others that of scanning alone, in their own process with the scanner
imported; for Bartizan that of the whole process, start included. Verdicts: testdata/models is benign but for what its
LABELS.jsonl calls code; BARTIZAN_CORPORA adds what its manifest calls malicious and benign.
"""

import argparse
import collections
import json
import os
import queue
import resource
import subprocess
import sys
import tarfile
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
VERDICTS = ("clean", "review", "block", "skipped", "error", "timeout")


def children_cpu():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def bartizan(binary, paths):
    """Verdicts by path, and the CPU seconds of the process."""
    before = children_cpu()
    verdicts = {}
    for first in range(0, len(paths), 2000):
        done = subprocess.run([binary, "scan", "--format", "jsonl"] + paths[first:first + 2000], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True)
        if done.returncode > 2:
            sys.exit("bartizan: exit %d: %s" % (done.returncode, done.stderr))
        for line in done.stdout.splitlines():
            row = json.loads(line)
            if "id" in row:
                verdicts[row["id"]] = row["verdict"]
    return [verdicts.get(p, "error") for p in paths], children_cpu() - before


def peer(name, paths, limit):
    """Verdicts and CPU seconds by file. A scanner whose process dies or hangs goes on behind the file that did it."""
    verdicts, seconds = [], []
    while len(verdicts) < len(paths):
        lost = attend(name, paths[len(verdicts):], limit, verdicts, seconds)
        if lost:
            verdicts.append(lost)
            seconds.append(limit)
    return verdicts, seconds


GRACE = 30  # seconds for the import of a scanner, and beyond the limit for code that no signal interrupts


def attend(name, paths, limit, verdicts, seconds):
    """Adds what one worker process says; gives "timeout" or "error" for the file that it was lost on."""
    process = subprocess.Popen([sys.executable, os.path.join(HERE, "worker.py"), name, str(limit)], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, text=True)
    lines = queue.Queue()

    def listen():
        for line in process.stdout:
            lines.put(line)
        lines.put(None)
    threading.Thread(target=listen, daemon=True).start()
    process.stdin.write("\n".join(paths))
    process.stdin.close()
    try:
        for _ in paths:
            line = lines.get(timeout=limit + GRACE)
            if line is None:
                return "error"
            row = json.loads(line)
            verdicts.append(row["verdict"])
            seconds.append(row["seconds"])
        return None
    except queue.Empty:
        return "timeout"
    finally:
        process.kill()
        process.wait()


def files_below(root):
    return sorted(os.path.join(d, f) for d, _, files in os.walk(root) for f in files)


def speed(args, out):
    dense = os.path.join(args.work, "dense.pkl")
    small = [p for p in files_below(os.path.join(args.work, "small")) if p.endswith(".pkl")]
    size = os.path.getsize(dense)
    runs = [bartizan(args.bartizan, [dense])[1] for _ in range(5)]
    own_dense = sorted(runs)[2]
    own_small = bartizan(args.bartizan, small)[1] / len(small)
    out("%-12s %14s %10s %16s %10s" % ("speed", "dense, MB/s", "ratio", "small, us/file", "ratio"))
    out("%-12s %14.1f %10s %16.1f %10s" % ("bartizan", size / 1e6 / own_dense, "1", own_small * 1e6, "1"))
    for name in args.tools:
        verdicts, seconds = peer(name, [dense], args.seconds_dense)
        if verdicts[0] in ("timeout", "error"):
            fast = "%s" % verdicts[0]
            ratio = "> %.0f" % (args.seconds_dense / own_dense) if verdicts[0] == "timeout" else "-"
        else:
            fast, ratio = "%.2f" % (size / 1e6 / seconds[0]), "%.0f" % (seconds[0] / own_dense)
        few = small[:args.small]
        each = sum(peer(name, few, args.limit)[1]) / len(few)
        out("%-12s %14s %10s %16.1f %10.0f" % (name, fast, ratio, each * 1e6, each / own_small))
    out("ratio: how many times Bartizan's CPU time. Small files are pickles of about 100 bytes.")


def labelled_models(folder):
    with open(os.path.join(folder, "LABELS.jsonl")) as f:
        rows = [json.loads(line) for line in f]
    return [(os.path.join(folder, r["path"]), r["label"]) for r in rows if r["label"] == "benign"]


def labelled_corpora(folder, work):
    """Extracts the corpora's archives and gives what is labelled malicious (where review is not as right) or benign."""
    target = os.path.join(work, "corpora")
    manifest = os.path.join(folder, "MANIFEST.jsonl")
    wanted = []
    with open(manifest) as f:
        for line in f:
            row = json.loads(line)
            if row["label"] == "benign" or row["label"] == "malicious" and not row.get("accept_review"):
                wanted.append(row)
    for archive in sorted({r["path"].split("!/")[0] for r in wanted}):
        into = os.path.join(target, archive)
        if not os.path.isdir(into):
            with tarfile.open(os.path.join(folder, archive)) as tar:
                tar.extractall(into + ".part", filter="data")
            os.rename(into + ".part", into)
    return [(os.path.join(target, *r["path"].split("!/")), r["label"], r["path"].split("!/")[0]) for r in wanted]


def table(args, out, title, paths):
    out("%-12s %s" % (title[:12], "".join("%9s" % v for v in VERDICTS)) + "   (%d files)" % len(paths))
    columns = [("bartizan", bartizan(args.bartizan, paths)[0])]
    columns += [(name, peer(name, paths, args.limit)[0]) for name in args.tools]
    for name, verdicts in columns:
        count = collections.Counter(verdicts)
        out("%-12s %s" % (name, "".join("%9d" % count[v] for v in VERDICTS)))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bartizan", required=True)
    parser.add_argument("--work", required=True, help="folder of dense.pkl and small/, and for what is extracted")
    parser.add_argument("--benign", default="testdata/models", help="folder with LABELS.jsonl")
    parser.add_argument("--tools", default="picklescan,modelscan,fickling,modelaudit")
    parser.add_argument("--limit", type=float, default=10, help="seconds a file")
    parser.add_argument("--seconds-dense", type=float, default=120, help="seconds for the dense file")
    parser.add_argument("--small", type=int, default=200, help="how many small files the others scan")
    parser.add_argument("--skip-speed", action="store_true")
    parser.add_argument("--archives", default="", help="only these archives of the corpora, by commas")
    args = parser.parse_args()
    args.tools = [t for t in args.tools.split(",") if t]

    def out(line):
        print(line, flush=True)
    if not args.skip_speed:
        speed(args, out)
    out("")
    table(args, out, "models", [p for p, _ in labelled_models(args.benign)])
    corpora = os.environ.get("BARTIZAN_CORPORA")
    if not corpora:
        out("BARTIZAN_CORPORA is not set: no table of malicious files")
        return
    rows = labelled_corpora(os.path.join(corpora, "artifact"), args.work)
    only = {a for a in args.archives.split(",") if a}
    for label in ("malicious", "benign"):
        for archive in sorted({a for _, l, a in rows if l == label}):
            if not only or archive in only:
                out("")
                paths = [p for p, l, a in rows if l == label and a == archive]
                out("%s, %s" % (archive, label))
                table(args, out, "", paths)


if __name__ == "__main__":
    main()
