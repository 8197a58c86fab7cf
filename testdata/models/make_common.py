"""What the makers of test models share: where files go, and what is written down about each.

Every file is written by the real library.  LABELS.jsonl has one line a file:
path, label ("benign": plain data of a library; "code": an honest file that carries code, such as a
cloudpickle lambda), library with its version, what the object is, writer, and protocol where one applies.
"""

import gzip
import io
import json
import os
import pickle
import sys
import warnings

warnings.simplefilter("ignore")


class Shelf:
    """A folder of labelled files.  A writer that fails leaves no file, only a line in `failed`."""

    def __init__(self, root, limit=None):
        self.root = root
        self.limit = limit
        self.rows = []
        self.failed = []
        self.seen = set()
        os.makedirs(root, exist_ok=True)

    def put(self, path, data, label="benign", **about):
        """Stores bytes under path; drops what is larger than the limit."""
        if self.limit and len(data) > self.limit:
            self.failed.append((path, "over the limit of %d: %d" % (self.limit, len(data))))
            return
        if path in self.seen:
            raise ValueError("written twice: " + path)
        self.seen.add(path)
        full = os.path.join(self.root, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "wb") as f:
            f.write(data)
        self.rows.append(dict(path=path, label=label, bytes=len(data), **about))

    def attempt(self, path, make, **about):
        """Stores what make() returns; a library that cannot write this object is no failure of ours."""
        try:
            data = make()
        except Exception as e:  # noqa: BLE001: any library error only means that this file is not to be had
            self.failed.append((path, "%s: %s" % (type(e).__name__, str(e)[:120])))
            return
        self.put(path, data, **about)

    def pickles(self, path, make, protocols=(2, 3, 4, 5), **about):
        """One object by pickle at several protocols."""
        for p in protocols:
            self.attempt("%s.p%d.pkl" % (path, p), lambda p=p: pickle.dumps(make(), p),
                         writer="pickle", protocol=p, **about)

    def joblib(self, path, make, compressors=(None,), **about):
        """One object by joblib, per compressor; None is uncompressed."""
        import joblib
        for c in compressors:
            def dump(c=c):
                out = io.BytesIO()
                joblib.dump(make(), out, compress=(c, 3) if c else 0)
                return out.getvalue()
            suffix = ".joblib" + ("." + c if c else "")
            self.attempt(path + suffix, dump, writer="joblib " + joblib.__version__, compressor=c or "none", **about)

    def close(self):
        """Writes LABELS.jsonl, sorted by path, and says what failed."""
        self.rows.sort(key=lambda r: r["path"])
        with open(os.path.join(self.root, "LABELS.jsonl"), "w") as f:
            for row in self.rows:
                f.write(json.dumps(row, sort_keys=True) + "\n")
        for path, why in self.failed:
            print("not made: %s: %s" % (path, why), file=sys.stderr)
        print("%d files, %d not made, %d bytes in %s"
              % (len(self.rows), len(self.failed), sum(r["bytes"] for r in self.rows), self.root))


def version(module):
    """"numpy 2.4.6": the library as LABELS.jsonl names it."""
    return "%s %s" % (module.__name__, getattr(module, "__version__", "?"))


def gz(data):
    """Gzip without a time stamp, so that reruns give equal bytes."""
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", mtime=0) as f:
        f.write(data)
    return out.getvalue()
