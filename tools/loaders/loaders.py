"""Saves a model with a real library, signs it, loads it through open_verified()
and verified() with the library's own loader, changes the file after the check,
then before it, and counts what does not behave."""
import argparse
import os
import shutil
import subprocess
import sys
import tempfile

from bartizan import VerificationError, open_verified, verified


class Numpy:
    """np.load, whole, mapped, and from an archive."""

    def __init__(self):
        import numpy

        self.np = numpy
        self.array = numpy.arange(300_000, dtype=numpy.float32)
        self.version = numpy.__version__

    def save(self, folder):
        self.np.save(os.path.join(folder, "array.npy"), self.array)
        self.np.savez_compressed(os.path.join(folder, "arrays.npz"), a=self.array)

    def same(self, array):
        assert self.np.array_equal(array, self.array)

    def files(self):
        yield "np.load", "array.npy", lambda f: self.same(self.np.load(f))
        yield "np.load of the path, mapped", "array.npy", lambda f: self.same(self.np.load(f.path, mmap_mode="r"))
        yield "np.load of an archive", "arrays.npz", lambda f: self.same(self.np.load(f)["a"])

    def folder(self, path):
        self.same(self.np.load(os.path.join(path, "array.npy"), mmap_mode="r"))


class Safetensors:
    """safe_open and load_file, which map a path, and load, which takes bytes."""

    def __init__(self):
        import numpy
        import safetensors
        import safetensors.numpy

        self.np, self.st, self.safe_open = numpy, safetensors.numpy, safetensors.safe_open
        self.tensors = {"a": numpy.arange(200_000, dtype=numpy.float32), "b": numpy.ones((7, 9))}
        self.version = safetensors.__version__

    def save(self, folder):
        self.st.save_file(self.tensors, os.path.join(folder, "model.safetensors"))

    def same(self, tensors):
        assert sorted(tensors) == sorted(self.tensors)
        for name, tensor in tensors.items():
            assert self.np.array_equal(tensor, self.tensors[name])

    def opened(self, path):
        with self.safe_open(path, framework="numpy") as f:
            self.same({name: f.get_tensor(name) for name in f.keys()})

    def files(self):
        name = "model.safetensors"
        yield "safetensors.safe_open", name, lambda f: self.opened(f.path)
        yield "safetensors.numpy.load_file", name, lambda f: self.same(self.st.load_file(f.path))
        yield "safetensors.numpy.load", name, lambda f: self.same(self.st.load(f.read()))

    def folder(self, path):
        self.opened(os.path.join(path, "model.safetensors"))


class Joblib:
    """joblib.load, from a file object and mapped from a path."""

    def __init__(self):
        import joblib
        import numpy

        self.np, self.joblib = numpy, joblib
        self.array = numpy.arange(300_000, dtype=numpy.float64)
        self.version = joblib.__version__

    def save(self, folder):
        self.joblib.dump({"array": self.array}, os.path.join(folder, "model.joblib"))
        self.joblib.dump({"array": self.array}, os.path.join(folder, "packed.joblib"), compress=3)

    def same(self, loaded):
        assert self.np.array_equal(loaded["array"], self.array)

    def files(self):
        yield "joblib.load", "model.joblib", lambda f: self.same(self.joblib.load(f))
        yield "joblib.load, compressed", "packed.joblib", lambda f: self.same(self.joblib.load(f))
        yield "joblib.load of the path, mapped", "model.joblib", lambda f: self.same(self.joblib.load(f.path, mmap_mode="r"))

    def folder(self, path):
        self.same(self.joblib.load(os.path.join(path, "model.joblib"), mmap_mode="r"))


class Sklearn:
    """A fitted scikit-learn model that predicts the same after joblib.load."""

    def __init__(self):
        import joblib
        import numpy
        import sklearn
        from sklearn.linear_model import LogisticRegression

        self.np, self.joblib = numpy, joblib
        random = numpy.random.default_rng(4)
        self.x = random.normal(size=(500, 20))
        self.model = LogisticRegression().fit(self.x, self.x[:, 0] > 0)
        self.version = sklearn.__version__

    def save(self, folder):
        self.joblib.dump(self.model, os.path.join(folder, "model.joblib"))

    def same(self, model):
        assert self.np.array_equal(model.predict_proba(self.x), self.model.predict_proba(self.x))

    def files(self):
        yield "joblib.load of a scikit-learn model", "model.joblib", lambda f: self.same(self.joblib.load(f))

    def folder(self, path):
        self.same(self.joblib.load(os.path.join(path, "model.joblib")))


class Torch:
    """torch.load of a state dict: read, and mapped from a path."""

    def __init__(self):
        import torch

        self.torch = torch
        torch.manual_seed(4)
        self.state = torch.nn.Linear(500, 300).state_dict()
        self.version = torch.__version__

    def save(self, folder):
        self.torch.save(self.state, os.path.join(folder, "weights.pt"))
        self.torch.save(self.state, os.path.join(folder, "old.pt"), _use_new_zipfile_serialization=False)

    def same(self, state):
        assert sorted(state) == sorted(self.state)
        for name, tensor in state.items():
            assert self.torch.equal(tensor, self.state[name])

    def files(self):
        load = self.torch.load
        yield "torch.load", "weights.pt", lambda f: self.same(load(f, weights_only=True))
        yield "torch.load of the path, mapped", "weights.pt", lambda f: self.same(load(f.path, weights_only=True, mmap=True))
        yield "torch.load, before version 1.6", "old.pt", lambda f: self.same(load(f, weights_only=True))

    def folder(self, path):
        self.same(self.torch.load(os.path.join(path, "weights.pt"), weights_only=True, mmap=True))


LIBRARIES = {"numpy": Numpy, "safetensors": Safetensors, "joblib": Joblib, "sklearn": Sklearn, "torch": Torch}


def flip(path):
    """Changes one bit in the middle of the file, where it lies."""
    with open(path, "r+b") as f:
        f.seek(os.path.getsize(path) // 2)
        byte = f.read(1)[0]
        f.seek(-1, os.SEEK_CUR)
        f.write(bytes([byte ^ 1]))


def refused(call):
    try:
        call()
    except VerificationError as error:
        assert error.code == "OMS_DIGEST_MISMATCH", error
        return
    raise AssertionError("a changed file was handed over")


def check(library, sign, verify, work):
    """Gives the number of loads that were right."""
    model, right = os.path.join(work, "model"), 0
    key = os.path.join(work, "signer")
    os.mkdir(model)
    library.save(model)
    subprocess.check_call([sign, "key", "generate", "-o", key], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for options in ([], ["--shards", "64KiB"], ["--hash", "blake3"]):
        bundle = os.path.join(work, "model.sig")
        subprocess.check_call([sign, "sign", model, "--key", key, "--bundle", bundle] + options, stdout=subprocess.DEVNULL)
        trust = {"bundle": bundle, "key": key + ".pub", "verifier": verify}
        for what, name, load in library.files():
            path = os.path.join(model, name)
            for limit in (None, -1):
                with open_verified(model, name, memory_limit=limit, **trust) as f:
                    flip(path)  # too late
                    load(f)
                refused(lambda: open_verified(model, name, memory_limit=limit, **trust))
                flip(path)
                right += 1
            print("  %s %s" % (what, " ".join(options)))
        with verified(model, **trust) as folder:
            flip(path)
            library.folder(folder)
        refused(lambda: verified(model, **trust).__enter__())
        flip(path)
        right += 1
    return right


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sign", required=True, help="the bartizan binary")
    parser.add_argument("--verify", required=True, help="the bartizan-verify binary")
    parser.add_argument("libraries", nargs="+", choices=sorted(LIBRARIES))
    options = parser.parse_args()
    for name in options.libraries:
        work = tempfile.mkdtemp()
        try:
            library = LIBRARIES[name]()
            right = check(library, options.sign, options.verify, work)
            print("%s %s: %d hand-overs loaded, and the changed file refused each time" % (name, library.version, right))
        finally:
            shutil.rmtree(work)
    return 0


if __name__ == "__main__":
    sys.exit(main())
