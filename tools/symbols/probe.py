"""Describe the modules of the interpreter that runs this file (works on Python 2.7 and 3.x).

    python probe.py OUTPUT < names      one module name a line

One JSON record a module is appended to OUTPUT as soon as the module is described, so that a crash or a hang in one
import loses only that module: the caller restarts with the rest.
"""
from __future__ import print_function

import json
import os
import signal
import sys
import types

SPECIALS = ("__new__", "__init__", "__setstate__", "__del__", "__hash__", "__eq__", "__setattr__", "__getattr__",
            "__getattribute__", "__call__", "__setitem__", "append", "extend", "add", "update", "__reduce__",
            "__reduce_ex__")
CLASS_TYPES = (type,) if sys.version_info[0] > 2 else (type, types.ClassType)
PY_FUNCTION = types.FunctionType
C_FUNCTION = types.BuiltinFunctionType
IMPORT_SECONDS = 40


def qualified(obj):
    name = getattr(obj, "__qualname__", None) or getattr(obj, "__name__", None)
    return name if isinstance(name, str) else ""


def home_of(obj):
    """The module and qualified name under which the object says it lives."""
    module = getattr(obj, "__module__", None)
    if module is None:
        owner = getattr(obj, "__self__", None)
        if isinstance(owner, types.ModuleType):
            module = owner.__name__
    if not isinstance(module, str):
        module = ""
    return module, qualified(obj)


def lives_there(obj, module, name):
    where = sys.modules.get(module)
    if where is None or not name or "<" in name:
        return False
    for part in name.split("."):
        try:
            where = vars(where).get(part) if hasattr(where, "__dict__") else None
        except Exception:
            return False
        if isinstance(where, (staticmethod, classmethod)):
            where = getattr(where, "__func__", None)
    return where is obj


def language(value):
    if isinstance(value, (staticmethod, classmethod)):
        value = getattr(value, "__func__", None)
    if isinstance(value, PY_FUNCTION):
        return "py"
    if isinstance(value, property):
        return "prop"
    if value is None:
        return "none"
    return "c"


def definer(mro, name):
    for cls in mro:
        if name in vars(cls):
            return list(home_of(cls)) + [language(vars(cls)[name])]
    return None


def member_kind(value):
    if isinstance(value, (staticmethod, classmethod)):
        inner = getattr(value, "__func__", None)
        return "py" if isinstance(inner, PY_FUNCTION) else "c"
    if isinstance(value, PY_FUNCTION):
        return "py"
    if isinstance(value, property):
        return "prop"
    kind = type(value).__name__
    if kind in ("method_descriptor", "wrapper_descriptor", "builtin_function_or_method", "classmethod_descriptor",
                "cython_function_or_method", "fused_cython_function", "cyfunction", "method-wrapper"):
        return "c"
    return "data"


def describe_class(cls, depth):
    mro = list(getattr(cls, "__mro__", None) or old_style_mro(cls))
    info = {"mro": [list(home_of(c)) for c in mro], "meta": list(home_of(type(cls))), "x": {}, "m": {}, "in": {}}
    info["b"] = [list(home_of(c)) for c in cls.__bases__]
    for name in SPECIALS:
        found = definer(mro, name)
        if found is not None and found[:2] not in (["builtins", "object"], ["__builtin__", "object"]):
            info["x"][name] = found
    for name, value in list(vars(cls).items()):
        if not isinstance(name, str):
            continue
        if isinstance(value, CLASS_TYPES):
            if depth < 3 and home_of(value) == (home_of(cls)[0], home_of(cls)[1] + "." + name):
                info["in"][name] = describe_class(value, depth + 1)
            continue
        info["m"][name] = member_kind(value)
    info["py"] = "py" in info["m"].values() or "prop" in info["m"].values()
    fields = vars(cls).get("_fields")
    info["nt"] = isinstance(fields, tuple) and issubclass(cls, tuple)
    return info


def old_style_mro(cls):
    found = [cls]
    for base in cls.__bases__:
        found += [c for c in (getattr(base, "__mro__", None) or old_style_mro(base)) if c not in found]
    return found


def describe_function(obj, module, name, lang):
    home = home_of(obj)
    if home != (module, name) and lives_there(obj, home[0], home[1]):
        return ["r", home[0], home[1]]
    return ["f", lang, list(home)]


def describe_value(obj, module, name):
    if isinstance(obj, types.ModuleType):
        return ["a", obj.__name__]
    if isinstance(obj, CLASS_TYPES):
        home = home_of(obj)
        if home != (module, name) and lives_there(obj, home[0], home[1]):
            return ["r", home[0], home[1]]
        return ["c", describe_class(obj, 0), list(home)]
    if isinstance(obj, PY_FUNCTION):
        return describe_function(obj, module, name, "py")
    owner = getattr(obj, "__self__", None) if isinstance(obj, (C_FUNCTION, types.MethodType)) else None
    if owner is not None and not isinstance(owner, types.ModuleType):
        cls = owner if isinstance(owner, CLASS_TYPES) else type(owner)
        return ["bm"] + list(home_of(cls)) + [getattr(obj, "__name__", name)]
    if isinstance(obj, C_FUNCTION) or type(obj).__name__ in ("cython_function_or_method", "ufunc", "fused_cython_function",
                                                             "_ArrayFunctionDispatcher"):
        return describe_function(obj, module, name, "c")
    return ["d"] + list(home_of(type(obj))) + [bool(callable(obj))]


def advertised(module):
    """Names of __all__ that a module's __getattr__ supplies: old homes kept alive by shims."""
    found, names = [], getattr(module, "__all__", ())
    for attr in names if isinstance(names, (list, tuple)) else ():
        if isinstance(attr, str) and attr not in vars(module):
            try:
                found.append((attr, getattr(module, attr)))
            except Exception:
                pass
    return found


def describe_module(name):
    signal.alarm(IMPORT_SECONDS)
    try:
        __import__(name)
        module = sys.modules[name]
        record = {"m": name, "ok": True, "n": {}, "file": getattr(module, "__file__", None),
                  "pkg": hasattr(module, "__path__"), "real": getattr(module, "__name__", name)}
        for attr, value in list(vars(module).items()) + advertised(module):
            if isinstance(attr, str) and not (attr.startswith("__") and attr.endswith("__") and not callable(value)):
                try:
                    record["n"][attr] = describe_value(value, name, attr)
                except Exception as err:
                    record["n"][attr] = ["d", "", "", False, repr(err)[:80]]
        return record
    except BaseException as err:
        return {"m": name, "ok": False, "err": (type(err).__name__ + ": " + str(err))[:200]}
    finally:
        signal.alarm(0)


def on_alarm(signum, frame):
    raise RuntimeError("import took too long")


def main():
    names = [line.strip() for line in sys.stdin if line.strip()]
    signal.signal(signal.SIGALRM, on_alarm)
    sys.stdin = open(os.devnull)
    sys.argv = ["probe"]
    out = open(sys.argv[1] if len(sys.argv) > 1 else os.environ["PROBE_OUT"], "a")
    for name in names:
        out.write(json.dumps({"begin": name}) + "\n")
        out.flush()
        out.write(json.dumps(describe_module(name), sort_keys=True) + "\n")
        out.flush()


if __name__ == "__main__":
    main()
