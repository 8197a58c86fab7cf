"""Makes labelled model files with the real libraries.

    python make.py FOLDER          the small set that is committed beside this script (each file < 50 KB)
    python make.py --all FOLDER    the large benign set (about 3,000 files), for false-positive measurements

Libraries: numpy scipy pandas scikit-learn joblib lz4 xgboost lightgbm catboost safetensors gguf cloudpickle dill,
and torch with torchvision where they are to be had (pip, or Debian's python3-torch).  What is missing is left out
and said.  Nothing here is ever loaded by Bartizan: its tests only parse the files.
"""

import argparse

import make_arrays
import make_boosting
import make_formats
import make_sklearn
import make_stdlib
import make_torch
from make_common import Shelf

SMALL_LIMIT = 50_000


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--all", action="store_true", help="the large set")
    parser.add_argument("--parts", default="stdlib,arrays,sklearn,boosting,formats,torch", help="only these parts")
    args = parser.parse_args()
    shelf = Shelf(args.folder, None if args.all else SMALL_LIMIT)
    parts = {
        "stdlib": lambda: args.all and make_stdlib.make(shelf),
        "arrays": lambda: (make_arrays.every if args.all else make_arrays.small)(shelf),
        "sklearn": lambda: (make_sklearn.every if args.all else make_sklearn.small)(shelf),
        "boosting": lambda: make_boosting.make(shelf, args.all),
        "formats": lambda: make_formats.make(shelf, args.all),
        "torch": lambda: (make_torch.every if args.all else make_torch.small)(shelf),
    }
    for name in args.parts.split(","):
        try:
            parts[name]()
        except ImportError as e:
            shelf.failed.append((name, str(e)))
    shelf.close()


if __name__ == "__main__":
    main()
