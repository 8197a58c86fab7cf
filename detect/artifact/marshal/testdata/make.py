"""Makes the samples of this folder: a .pyc for each interpreter, marshalled values from the oldest and the newest.

    for each interpreter: PYTHON make.py OUTDIR

The module holds what code objects can hold: nested functions, cells, keyword-only
and positional-only parameters, big integers, complex numbers, bytes, frozensets.
"""
import marshal
import struct
import sys

SOURCE = '''
import os.path as osp
from base64 import b64decode as decode
def outer(a, b=(1, 2.5, -3j), *rest, **more):
    big = 123456789012345678901234567890
    text = u"gr\\u00fc\\u00dfe"
    def inner(c):
        return a, c, big, text, b"\\x00\\xff"
    return inner
class Thing(object):
    "doc"
    flag = True
    def method(self):
        if self.flag in {1, 2, 3}:
            return os.system("ls")
        return osp.join(decode("YQ=="), "...")
'''
VALUE = [None, True, False, 0, -1, 2**31 - 1, -2**31, 2**62, -2**63, 10**40, -10**40, 1.5, -0.0, 1e300, 2 - 3j,
         b"bytes\xff", u"text", u"\u20ac\U0001f600", (), (1, (2, (3,))), [1, [2]], {u"k": [1], 2: None},
         set([1]), frozenset([u"f"]), Ellipsis, StopIteration]


def main():
    tag = "%d%d" % sys.version_info[:2]
    if sys.version_info >= (3, 4):
        import importlib.util
        magic = importlib.util.MAGIC_NUMBER
    else:
        import imp
        magic = imp.get_magic()
    header = 8 if sys.version_info < (3, 3) else 12 if sys.version_info < (3, 7) else 16
    code = compile(SOURCE, "sample.py", "exec")
    with open("%s/sample-%s.pyc" % (sys.argv[1], tag), "wb") as f:
        f.write(magic + struct.pack("<III", 0, 0, 0)[:header - 4] + marshal.dumps(code))
    for version in range(5):
        if version <= marshal.version and tag in ("27", "313"):
            with open("%s/value-%s-v%d.marshal" % (sys.argv[1], tag, version), "wb") as f:
                f.write(marshal.dumps(VALUE if version > 1 else VALUE[:22] + VALUE[24:], version))


main()
