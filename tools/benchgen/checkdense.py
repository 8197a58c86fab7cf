"""Says whether a dense pickle is what CPython's own pickler writes for its content: python checkdense.py FILE..."""

import pickle
import sys

for path in sys.argv[1:]:
    with open(path, "rb") as f:
        data = f.read()
    again = pickle.dumps(pickle.loads(data), data[1])
    same = again == data
    print("%s: %d bytes, %s" % (path, len(data), "equal to CPython's" if same else "differs from CPython's at %d" % next(
        (i for i, (a, b) in enumerate(zip(again, data)) if a != b), min(len(again), len(data)))))
    if not same:
        sys.exit(1)
