"""Writes the arguments with which cloudpickle and dill rebuild a function's code, marshalled: two tuples.

    PYTHON codeargs.py > OUT
"""
import marshal
import sys


def sample(a, b=2):
    import os
    c = a

    def inner(x):
        return os.system(x or c)
    return inner(b)


def args(c):
    counts = [c.co_argcount]
    if hasattr(c, "co_posonlyargcount"):
        counts.append(c.co_posonlyargcount)
    if hasattr(c, "co_kwonlyargcount"):
        counts.append(c.co_kwonlyargcount)
    parts = counts + [c.co_nlocals, c.co_stacksize, c.co_flags, c.co_code, c.co_consts, c.co_names, c.co_varnames,
                      c.co_filename, c.co_name]
    if hasattr(c, "co_qualname"):
        parts.append(c.co_qualname)
    parts += [c.co_firstlineno, getattr(c, "co_linetable", None) or c.co_lnotab]
    if hasattr(c, "co_exceptiontable"):
        parts.append(c.co_exceptiontable)
    return tuple(parts + [c.co_freevars, c.co_cellvars])


code = sample.__code__ if hasattr(sample, "__code__") else sample.func_code
out = getattr(sys.stdout, "buffer", sys.stdout)
dill = args(code)
if sys.version_info >= (3, 10):
    import warnings
    warnings.simplefilter("ignore")
    dill = (code.co_lnotab,) + dill
out.write(marshal.dumps((args(code), dill)))
