"""safetensors, GGUF, and the two honest kinds of pickle that carry code."""

import os
import tempfile

from make_common import version


def safetensors(shelf):
    import numpy as np
    import safetensors
    import safetensors.numpy as st
    lib = version(safetensors)
    sets = {
        "plain": {"w": np.ones((2, 3), "f4"), "b": np.zeros(3, "f4")},
        "kinds": {k: np.ones(2, k) for k in ("f8", "f4", "f2", "i8", "i4", "i2", "i1", "u1", "bool")},
        "empty-tensor": {"e": np.zeros((0, 2), "f4"), "s": np.array(1.0, "f4")},
        "layers": {"layer.%d.weight" % i: np.full((4, 4), i, "f2") for i in range(20)},
    }
    for name, tensors in sets.items():
        shelf.put("safetensors/%s.safetensors" % name, st.save(tensors), library=lib, what=name, writer="safetensors.numpy")
        shelf.put("safetensors/%s-meta.safetensors" % name, st.save(tensors, {"format": "pt", "note": "trained on toys"}),
                  library=lib, what=name + " with metadata", writer="safetensors.numpy")


def gguf(shelf):
    import numpy as np
    import gguf as g
    template = "{% for m in messages %}<|{{ m['role'] }}|>\n{{ m['content'] }}\n{% endfor %}"
    def write(path, template):
        w = g.GGUFWriter(path, "llama")
        w.add_name("toy")
        w.add_context_length(128)
        w.add_embedding_length(4)
        w.add_block_count(1)
        w.add_token_list(["<s>", "</s>", "a", "b"])
        w.add_token_scores([0.0, 0.0, -1.0, -2.0])
        if template:
            w.add_chat_template(template)
        w.add_tensor("token_embd.weight", np.ones((4, 32), np.float32))
        w.add_tensor("output.weight", np.ones((4, 32), np.float16))
        w.write_header_to_file()
        w.write_kv_data_to_file()
        w.write_tensors_to_file()
        w.close()
    for name, text in (("plain", None), ("template", template)):
        def make(text=text):
            with tempfile.TemporaryDirectory() as folder:
                path = os.path.join(folder, "x.gguf")
                write(path, text)
                with open(path, "rb") as f:
                    return f.read()
        shelf.attempt("gguf/%s.gguf" % name, make, library="gguf", what=name, writer="gguf.GGUFWriter")


def code(shelf):
    """Files that carry code and say so: honest, but never inert."""
    import cloudpickle
    import dill
    def scale(x, factor=2):
        return x * factor
    for p in (2, 4, 5):
        shelf.attempt("code/cloudpickle-lambda.p%d.pkl" % p, lambda: cloudpickle.dumps(lambda x: x + 1, p),
                      label="code", library=version(cloudpickle), what="lambda", writer="cloudpickle", protocol=p)
        shelf.attempt("code/dill-function.p%d.pkl" % p, lambda: dill.dumps(scale, p, recurse=True),
                      label="code", library=version(dill), what="function", writer="dill", protocol=p)


def dill_data(shelf):
    """Plain data by dill and cloudpickle is as plain as by pickle."""
    import cloudpickle
    import dill
    import numpy as np
    from sklearn.linear_model import LogisticRegression
    from make_sklearn import toy
    things = {"dict": lambda: {"a": [1, 2], "b": (3.5, None)}, "array": lambda: np.arange(5),
              "class": lambda: dict, "logistic": lambda: LogisticRegression().fit(*toy()), "set": lambda: {1, 2}}
    for name, maker in things.items():
        for p in (2, 4, 5):
            shelf.attempt("dill/%s.p%d.pkl" % (name, p), lambda: dill.dumps(maker(), p), library=version(dill), what=name, writer="dill", protocol=p)
            shelf.attempt("cloudpickle/%s.p%d.pkl" % (name, p), lambda: cloudpickle.dumps(maker(), p),
                          library=version(cloudpickle), what=name, writer="cloudpickle", protocol=p)


def make(shelf, everything):
    for part in (safetensors, gguf, code) + ((dill_data,) if everything else ()):
        try:
            part(shelf)
        except ImportError as e:
            shelf.failed.append((part.__name__, str(e)))
