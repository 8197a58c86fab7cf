"""Bartizan against C pickle.loads, and its memory and time on hard inputs.

    python3 tools/benchgen/bench.py --bartizan bin/bartizan [--work FOLDER] [--runs 11] [--only dense,memory,small]

dense   The same dense pickle through C pickle.loads (collector off) and through `bartizan scan`, in turn, in CPU time
        (user and system). For loads() that of the call alone; for Bartizan that of the whole process, start included,
        and less that of a scan of a 4-byte pickle.
memory  Peak resident memory and wall time of a scan of each input: ru_maxrss of the child, and beside it the largest
        anonymous part seen in /proc/PID/smaps_rollup, since pages of a mapped input count as resident as well.
small   100,000 small files in one process.

Inputs are made by `go run ./tools/benchgen` where they are not there yet.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))

LOADS = """
import gc, pickle, resource, sys
data = open(sys.argv[1], "rb").read()
gc.disable()
before = resource.getrusage(resource.RUSAGE_SELF)
value = pickle.loads(data)
after = resource.getrusage(resource.RUSAGE_SELF)
sys.stdout.write(repr(after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime))
sys.stdout.flush()
import os
os._exit(0)
"""


class Run:
    """One finished scan: CPU seconds, wall seconds, peak memory in KiB, verdicts."""

    def __init__(self, binary, paths, sample=False):
        with tempfile.TemporaryFile() as out:
            start = time.monotonic()
            process = subprocess.Popen([binary, "scan", "--format", "jsonl"] + paths, stdout=out, stderr=subprocess.DEVNULL)
            self.anonymous = watch(process.pid) if sample else 0
            _, status, usage = os.wait4(process.pid, 0)
            self.wall = time.monotonic() - start
            process.returncode = os.waitstatus_to_exitcode(status)
            self.code = process.returncode
            self.cpu = usage.ru_utime + usage.ru_stime
            self.peak = usage.ru_maxrss
            out.seek(0)
            rows = [json.loads(line) for line in out]
        self.verdicts = [(r["verdict"], r["coverage"]) for r in rows if "verdict" in r]


def watch(pid):
    """The largest anonymous part of a process's memory until it ends, in KiB; 0 where /proc does not tell."""
    most = 0
    while True:
        try:
            with open("/proc/%d/smaps_rollup" % pid) as f:
                for line in f:
                    if line.startswith("Anonymous:"):
                        most = max(most, int(line.split()[1]))
            with open("/proc/%d/stat" % pid) as f:
                if f.read().rsplit(")", 1)[1].split()[0] == "Z":
                    return most
        except (OSError, IndexError):
            return most
        time.sleep(0.002)


def ensure(work, kind, name, *flags):
    path = os.path.join(work, name)
    if not os.path.exists(path):
        subprocess.run(["go", "run", "./tools/benchgen", kind, *flags, path], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return path


def tiny(work):
    path = os.path.join(work, "tiny.pkl")
    with open(path, "wb") as f:
        f.write(b"\x80\x04N.")
    return path


def dense(args):
    path = ensure(args.work, "dense", "dense.pkl")
    size = os.path.getsize(path) / 1e6
    small = tiny(args.work)
    loads, whole, start = [], [], []
    for _ in range(args.runs):
        done = subprocess.run([sys.executable, "-c", LOADS, path], stdout=subprocess.PIPE, check=True)
        loads.append(float(done.stdout))
        whole.append(Run(args.bartizan, [path]).cpu)
        start.append(Run(args.bartizan, [small]).cpu)
    ratios = [c / b for c, b in zip(loads, whole)]
    net = max(statistics.median(whole) - statistics.median(start), 1e-9)
    print("dense pickle, %.1f MB, medians of %d alternating runs, CPU time" % (size, args.runs))
    print("  C pickle.loads (Python %d.%d.%d)  %7.1f MB/s" % (*sys.version_info[:3], size / statistics.median(loads)))
    print("  bartizan scan, whole process   %7.1f MB/s, %.2f times C loads (%.2f to %.2f)"
          % (size / statistics.median(whole), statistics.median(ratios), min(ratios), max(ratios)))
    print("  bartizan scan, less its start  %7.1f MB/s (start %.1f ms)" % (size / net, 1000 * statistics.median(start)))


def memory(args):
    bombs, sparse = ensure(args.work, "bombs", "bombs"), ensure(args.work, "sparse", "sparse")
    inputs = [tiny(args.work), ensure(args.work, "dense", "dense.pkl")]
    for folder in (sparse, bombs):
        inputs += sorted(os.path.join(folder, f) for f in os.listdir(folder))
    print("%-28s %9s %9s %10s %9s  %s" % ("peak memory", "MB rss", "MB anon", "over tiny", "wall s", "verdict"))
    base = None
    for path in inputs:
        run = Run(args.bartizan, [path], sample=True)
        base = base or run.peak
        words = ", ".join("%s %s" % v for v in run.verdicts[:2]) or "exit %d" % run.code
        print("%-28s %9.1f %9.1f %10.1f %9.2f  %s" % (os.path.basename(path), run.peak / 1e3, run.anonymous / 1e3,
                                                     (run.peak - base) / 1e3, run.wall, words))


def small(args):
    folder = ensure(args.work, "small", "small")
    count = sum(len(f) for _, _, f in os.walk(folder))
    runs = [Run(args.bartizan, [folder]) for _ in range(3)]
    best = min(runs, key=lambda r: r.wall)
    print("small files: %d in %.2f s wall, %.2f s CPU: %.0f files/s, peak %.1f MB" % (count, best.wall, best.cpu, count / best.wall, best.peak / 1e3))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bartizan", default=os.path.join(ROOT, "bin", "bartizan"))
    parser.add_argument("--work", default=os.path.join(tempfile.gettempdir(), "bartizan-bench"))
    parser.add_argument("--runs", type=int, default=11)
    parser.add_argument("--only", default="dense,memory,small")
    args = parser.parse_args()
    os.makedirs(args.work, exist_ok=True)
    for part in args.only.split(","):
        {"dense": dense, "memory": memory, "small": small}[part](args)


if __name__ == "__main__":
    main()
