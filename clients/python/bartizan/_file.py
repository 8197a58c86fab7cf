"""One verified file, as a descriptor of its own."""
import array
import errno
import fcntl
import io
import json
import os
import socket
import stat

from . import _verifier
from ._errors import CouldNotVerify

# fcntl(2), "File sealing". The module fcntl has the names from Python 3.8 on.
_F_GET_SEALS = 1034
_SEALS = 0x0001 | 0x0002 | 0x0004 | 0x0008  # seal, shrink, grow, write
_MSG_CMSG_CLOEXEC = getattr(socket, "MSG_CMSG_CLOEXEC", 0x40000000)


class VerifiedPath(str):
    """The path of a VerifiedFile. It keeps the file open as long as it is used
    itself: a descriptor that was closed would be given to another file, and its
    path would lead there. What is made from it, such as str(path), is a plain
    string and keeps nothing."""

    def __new__(cls, path, file):
        self = super().__new__(cls, path)
        self.file = file
        return self


class VerifiedFile(io.BufferedReader):
    """A file whose bytes were verified: readable, seekable, with a descriptor.

    path names it for libraries that open files by themselves, within this
    process and until the file is closed; it keeps the file from being closed by
    the garbage collection. sealed says that it is memory that no process can
    write to. Otherwise it is a nameless file on disk of this user, with mode
    0400: other users cannot reach it, but programs of this user and root can,
    through /proc. size is in bytes, and verified_name the name under which it was
    signed.
    """

    def __init__(self, fd, name, size, sealed):
        super().__init__(io.FileIO(fd, "rb", closefd=True))
        self.verified_name = name
        self.size = size
        self.sealed = sealed

    @property
    def path(self):
        return VerifiedPath("/proc/self/fd/%d" % self.fileno(), self)  # ValueError: it is closed


def open_verified(
    root,
    name,
    bundle,
    key=None,
    certificate_chain=None,
    verifier=None,
    refuse_legacy=False,
    accept_hash=(),
    memory_limit=None,
    temp_dir=None,
):
    """Opens one signed file and gives a VerifiedFile of the bytes that were
    verified; changes to the file afterwards change nothing.

    root is the folder (or the one file) that the signature is about, name the
    file's name in it with slashes ("." where root is the file). bundle is the
    signature; key a public key (PEM), certificate_chain the certificates that
    are believed (PEM; one path or several).

    Up to memory_limit bytes (default: half of the free memory) the copy is
    sealed memory; larger files go to a nameless file in temp_dir, and a negative
    limit sends all there. See VerifiedFile for what such a file withstands.

    Only this file is verified: others in the folder may be missing, or not be
    signed. It raises VerificationError; ValueError where the arguments do not
    fit each other.
    """
    arguments = [_verifier.find(verifier), "open"]
    arguments += _verifier.trust_options(bundle, key, certificate_chain, refuse_legacy, accept_hash)
    if memory_limit is not None:
        arguments.append("--memory-limit=%d" % memory_limit)
    if temp_dir is not None:
        arguments.append("--temp-dir=" + _verifier.absolute(temp_dir))
    name = os.fsdecode(os.fspath(name))
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours:
        with theirs:
            arguments += ["--fd=%d" % theirs.fileno(), "--", _verifier.absolute(root), name]
            _verifier.run(arguments, pass_fds=(theirs.fileno(),))
        fd, said = _receive(ours)
    try:
        size, sealed = _check(fd, said, name)
        return VerifiedFile(fd, name, size, sealed)
    except BaseException:
        _close(fd)
        raise


def _receive(sock):
    """Takes the one descriptor that waits in the socket, with what was said."""
    sock.setblocking(False)  # the sender has ended: what is not there will not come
    fds = array.array("i")
    try:
        data, ancillary, flags, _ = sock.recvmsg(65536, socket.CMSG_SPACE(4 * fds.itemsize), _MSG_CMSG_CLOEXEC)
    except OSError as error:
        raise CouldNotVerify("the verifier handed over nothing: %s" % error)
    for level, kind, payload in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            fds.frombytes(payload[: len(payload) - len(payload) % fds.itemsize])
    if len(fds) != 1 or flags & (socket.MSG_CTRUNC | socket.MSG_TRUNC):
        for fd in fds:
            _close(fd)
        raise CouldNotVerify("the verifier handed over %d descriptors, not one" % len(fds))
    return fds[0], data


def _check(fd, said, name):
    """Holds the descriptor against what the verifier says of it."""
    try:
        about = json.loads(said.decode("utf-8"))
        size, sealed = about["size"], about["sealed"]
        if about["name"] != name or not isinstance(size, int) or not isinstance(sealed, bool):
            raise ValueError("another file")
    except (ValueError, KeyError, TypeError) as error:
        raise CouldNotVerify("the verifier's message is not understood: %s" % error)
    status = os.fstat(fd)
    if not stat.S_ISREG(status.st_mode) or status.st_size != size or status.st_nlink != 0:
        raise CouldNotVerify("the descriptor is not the verified copy")
    if fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_ACCMODE != os.O_RDONLY:
        raise CouldNotVerify("the descriptor can be written to")
    if sealed and _seals(fd) & _SEALS != _SEALS:
        raise CouldNotVerify("the memory is not sealed")
    if not sealed and os.readlink("/proc/self/fd/%d" % fd).startswith("/memfd:"):
        raise CouldNotVerify("the memory is not sealed")
    os.lseek(fd, 0, os.SEEK_SET)
    return size, sealed


def _seals(fd):
    try:
        return fcntl.fcntl(fd, _F_GET_SEALS)
    except OSError as error:
        if error.errno == errno.EINVAL:  # no memory that can be sealed
            return 0
        raise


def _close(fd):
    try:
        os.close(fd)
    except OSError as error:
        if error.errno != errno.EBADF:  # its file object has closed it
            raise
