"""A verified copy of a whole model, as a folder."""
import contextlib
import os
import shutil
import tempfile

from . import _verifier


@contextlib.contextmanager
def verified(
    root,
    bundle,
    key=None,
    certificate_chain=None,
    ignore=(),
    ignore_unsigned=False,
    verifier=None,
    refuse_legacy=False,
    accept_hash=(),
    temp_dir=None,
):
    """Verifies all of root and gives the path of a private, read-only copy of
    the signed files, which is removed at the end:

        with verified("model", bundle="model.sig", key="signer.pub") as folder:
            model = load(folder)

    Where root is one file, the path is that of its copy. ignore names files and
    folders that are known not to be signed; they are not copied, and what could
    be loaded is never ignored. It raises VerificationError.
    """
    arguments = [_verifier.find(verifier), _verifier.absolute(root)]
    arguments += _verifier.trust_options(bundle, key, certificate_chain, refuse_legacy, accept_hash)
    if isinstance(ignore, (str, os.PathLike)):
        ignore = [ignore]
    arguments += ["--ignore=" + os.fsdecode(os.fspath(path)) for path in ignore]
    if ignore_unsigned:
        arguments.append("--ignore-unsigned")
    base = os.path.basename(_verifier.absolute(root)) or "model"
    private = tempfile.mkdtemp(prefix="bartizan-verified-", dir=temp_dir)  # mode 0700
    try:
        path = os.path.join(os.path.abspath(private), base)
        single = not os.path.isdir(root)
        _verifier.run(arguments + ["--to=" + path])
        yield os.path.join(path, base) if single else path
    finally:
        _remove(private)


def _remove(folder):
    for parent, _, _ in os.walk(folder):
        os.chmod(parent, 0o700)  # copies are in folders that allow no writing
    shutil.rmtree(folder)
