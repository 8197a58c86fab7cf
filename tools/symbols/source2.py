"""Python 2 sources: rewrite the syntax with lib2to3 (in the standard library up to 3.12) so that `ast` can read it.

Only syntax is rewritten; names stay Python 2's. Without lib2to3 such files count as not parsed.
"""
import ast
import hashlib
import os
import re
import warnings

from program import default_text

CACHE = None
# Byte strings may hold \\u, and names may be today's keywords: neither matters for what the code does.
ESCAPES = re.compile(r"\\([uUN])")
KEYWORDS = re.compile(r"\b(async|await|nonlocal)\b")
RAW_UNICODE = re.compile(r"""\b[uU][rR](?=['"])""")
FIXERS = ["lib2to3.fixes.fix_" + n for n in ("print", "except", "exec", "raise", "repr", "numliterals", "ne", "tuple_params",
                                             "throw", "paren")]


def load_text(path):
    try:
        text = default_text(path)
    except (SyntaxError, UnicodeDecodeError):
        with open(path, encoding="latin-1") as source:
            text = source.read()
    text = RAW_UNICODE.sub("r", text)
    if parses(text):
        return text
    text = KEYWORDS.sub(r"\1_", ESCAPES.sub(r"/\1", text))
    return text if parses(text) else cached_conversion(text, path)


def parses(text):
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(text)
        return True
    except (SyntaxError, ValueError):
        return False


def cached_conversion(text, path):
    name = os.path.join(CACHE or ".", "2to3-" + hashlib.sha256(text.encode("utf8", "replace")).hexdigest()[:32])
    if CACHE and os.path.exists(name):
        with open(name, encoding="utf8") as cached:
            return cached.read()
    converted = convert(text, path)
    if CACHE:
        os.makedirs(CACHE, exist_ok=True)
        with open(name, "w", encoding="utf8") as out:
            out.write(converted)
    return converted


def convert(text, path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            from lib2to3 import refactor
            tool = refactor.RefactoringTool(FIXERS)
            return str(tool.refactor_string(text.expandtabs(8) + "\n", path))
        except Exception as err:  # lib2to3 raises many kinds for broken input; the file then counts as not parsed
            raise SyntaxError(str(err))
