"""Checks of the effect analysis on small sources: `python3 -m unittest test_analysis` in this folder."""
import os
import tempfile
import unittest

from facts import Facts
from program import Program
from rows import effect_text

BUILTINS = {"m": "builtins", "ok": True, "n": {n: ["f", "c", ["builtins", n]] for n in
            "exec eval open getattr setattr map sorted print str len type __import__ object dict list".split()}}


class Analysis(unittest.TestCase):
    def effects(self, source, name, column=None):
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, "sample.py"), "w", encoding="utf8") as out:
                out.write(source)
            program = Program([folder], {"builtins": BUILTINS}, Facts())
            program.load(["sample"])
            key = (column, ("sample", name)) if column else self.function_key(program, name)
            program.node(key)
            program.solve()
            return effect_text(program.total(key))

    def function_key(self, program, name):
        cls = name.rpartition(".")[0]
        return program.function_key(("sample", name), ("sample", cls) if cls else None)

    def test_direct_sink(self):
        self.assertEqual(self.effects("def f(x):\n    exec(x)\n", "f"), "exec")

    def test_constant_argument_is_harmless(self):
        source = "def get(o, n):\n    return getattr(o, n)\ndef f(o):\n    return get(o, 'name')\n"
        self.assertEqual(self.effects(source, "get"), "attr")
        self.assertEqual(self.effects(source, "f"), "-")

    def test_derived_argument_is_not_constant(self):
        source = "def f(o, path):\n    for part in path.split('.'):\n        o = getattr(o, part)\n    return o\n"
        self.assertEqual(self.effects(source, "f"), "attr")

    def test_parameter_called(self):
        self.assertEqual(self.effects("def f(g):\n    return g(1)\n", "f"), "callarg")
        self.assertEqual(self.effects("def f(g, xs):\n    return sorted(xs, key=g)\n", "f"), "callarg")
        self.assertEqual(self.effects("def f(xs):\n    return sorted(xs, key=len)\n", "f"), "-")

    def test_stored_callable(self):
        source = "class C:\n    def __init__(self, g):\n        self.g = g\n    def run(self):\n        return self.g()\n"
        self.assertEqual(self.effects(source, "C.run"), "callarg")

    def test_open_modes(self):
        self.assertEqual(self.effects("def f(p):\n    return open(p).read()\n", "f"), "read")
        self.assertEqual(self.effects("def f(p):\n    open(p, 'w').write('')\n", "f"), "write")

    def test_hook_of_subclass(self):
        source = ("class A:\n    def __init__(self):\n        self.setup()\n    def setup(self):\n        pass\n"
                  "class B(A):\n    def setup(self):\n        exec(self.code)\n")
        self.assertEqual(self.effects(source, "A", "CALL"), "-")
        self.assertEqual(self.effects(source, "B", "CALL"), "exec")
        self.assertEqual(self.effects(source, "B", "NEW"), "-")

    def test_setstate_and_getattr_hooks(self):
        source = "class A:\n    def __setstate__(self, s):\n        exec(s)\n"
        self.assertEqual(self.effects(source, "A", "STATE"), "exec")
        source = "class A:\n    def __getattr__(self, n):\n        return getattr(self.inner, n)\n"
        self.assertEqual(self.effects(source, "A", "STATE"), "-")

    def test_closure_of_decorator(self):
        source = ("def deco(g):\n    def wrapper(*a):\n        exec('x' + str(a))\n        return g(*a)\n    return wrapper\n"
                  "@deco\ndef f():\n    pass\n")
        self.assertEqual(self.effects(source, "f"), "exec")


if __name__ == "__main__":
    unittest.main()
