"""Tests of the package, with the program bartizan-verify that the environment
variable BARTIZAN_VERIFY names. tests/testdata was signed once; its private key
is gone."""
import fcntl
import gc
import json
import mmap
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import textwrap
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))

from bartizan import CouldNotVerify, VerificationError, open_verified, verified  # noqa: E402
from bartizan._verifier import find  # noqa: E402

DATA = os.path.join(HERE, "testdata")


class Case(unittest.TestCase):
    def setUp(self):
        self.tmp = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.tmp)
        self.root = os.path.join(self.tmp, "model")
        shutil.copytree(os.path.join(DATA, "model"), self.root)
        self.path = os.path.join(self.root, "weights.bin")
        with open(self.path, "rb") as f:
            self.data = f.read()
        self.trust = {"bundle": os.path.join(DATA, "model.sig"), "key": os.path.join(DATA, "signer.pub")}

    def flip(self, path, at=5):
        with open(path, "r+b") as f:
            f.seek(at)
            byte = f.read(1)
            f.seek(at)
            f.write(bytes([byte[0] ^ 1]))

    def refused(self, code, call, *args, **kwargs):
        with self.assertRaises(VerificationError) as raised:
            call(*args, **kwargs)
        self.assertEqual(raised.exception.code, code, raised.exception)
        return raised.exception

    def fake(self, body):
        """Writes a verifier that does what body says, after it has read --fd."""
        path = os.path.join(self.tmp, "fake-verify")
        with open(path, "w") as f:
            f.write("#!%s\nimport array, os, socket, sys\n" % sys.executable)
            f.write("fd = next((int(a[5:]) for a in sys.argv if a.startswith('--fd=')), -1)\n")
            f.write(textwrap.dedent(body))
        os.chmod(path, 0o700)
        return path


class OpenVerified(Case):
    def test_reads_seeks_and_has_a_descriptor(self):
        for limit in (None, 1 << 20, -1):
            with open_verified(self.root, "weights.bin", memory_limit=limit, **self.trust) as f:
                self.assertEqual(f.read(), self.data)
                self.assertEqual(f.seek(-10, os.SEEK_END), len(self.data) - 10)
                self.assertEqual(f.read(), self.data[-10:])
                self.assertEqual(os.pread(f.fileno(), 7, 3), self.data[3:10])
                with open(f.path, "rb") as again:
                    self.assertEqual(again.read(), self.data)
                with mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ) as m:
                    self.assertEqual(m[:], self.data)
                self.assertEqual((f.size, f.verified_name, f.sealed), (len(self.data), "weights.bin", limit != -1))
                self.assertFalse(os.get_inheritable(f.fileno()))
                self.assertFalse(f.writable())

    def test_swapping_afterwards_changes_nothing(self):
        for limit in (None, -1):
            with open_verified(self.root, "weights.bin", memory_limit=limit, **self.trust) as f:
                self.flip(self.path)
                self.assertEqual(f.read(), self.data)
                self.flip(self.path)

    def test_sealed_memory_cannot_be_written(self):
        with open_verified(self.root, "weights.bin", **self.trust) as f:
            self.assertTrue(f.sealed)
            with self.assertRaises(OSError):
                os.write(f.fileno(), b"x")
            writer = os.open(f.path, os.O_RDWR)
            try:
                for change in (
                    lambda: os.pwrite(writer, b"x", 0),
                    lambda: os.ftruncate(writer, 1),
                    lambda: os.ftruncate(writer, 1 << 20),
                    lambda: mmap.mmap(writer, 0),
                    lambda: fcntl.fcntl(writer, 1033, 0x0010),
                ):
                    with self.assertRaises(OSError):
                        change()
            finally:
                os.close(writer)

    def test_a_byte(self):
        self.flip(self.path)
        self.refused("OMS_DIGEST_MISMATCH", open_verified, self.root, "weights.bin", **self.trust)
        with open_verified(self.root, "config.json", **self.trust) as f:  # the others are as they were
            self.assertEqual(json.loads(f.read().decode())["layers"], 2)

    def test_what_is_refused(self):
        os.symlink("config.json", os.path.join(self.root, "link"))
        with open(os.path.join(self.root, "new.bin"), "wb"):
            pass
        for name in ("new.bin", "link", "../model/config.json", "", ".", "sub", "/etc/passwd", "x\0y"):
            if "\0" in name:
                with self.assertRaises((ValueError, VerificationError)):
                    open_verified(self.root, name, **self.trust)
                continue
            self.refused("OMS_FILE_UNSIGNED", open_verified, self.root, name, **self.trust)
        os.remove(self.path)
        self.refused("OMS_FILE_MISSING", open_verified, self.root, "weights.bin", **self.trust)
        os.symlink("/etc/passwd", self.path)
        self.refused("OMS_SYMLINK", open_verified, self.root, "weights.bin", **self.trust)
        os.remove(self.path)
        os.mkfifo(self.path)
        self.refused("OMS_FILE_SPECIAL", open_verified, self.root, "weights.bin", **self.trust)

    def test_another_key_and_a_broken_bundle(self):
        other = dict(self.trust, key=os.path.join(DATA, "other.pub"))
        self.refused("KEY_MISMATCH", open_verified, self.root, "weights.bin", **other)
        broken = os.path.join(self.tmp, "broken.sig")
        with open(broken, "w") as f:
            f.write("{")
        self.refused("BUNDLE_MALFORMED", open_verified, self.root, "weights.bin", **dict(self.trust, bundle=broken))
        self.refused("POLICY_HASH_FORBIDDEN", open_verified, self.root, "weights.bin", accept_hash="blake3", **self.trust)

    def test_odd_names(self):
        for name, data in (("sub/-dash.bin", b"a name that begins with a dash"), ("sub/\u00fcmlaut.bin", b"a name beyond ASCII")):
            with open_verified(self.root, name, **self.trust) as f:
                self.assertEqual(f.read(), data)
        os.chdir(os.path.join(self.root, "sub"))
        self.addCleanup(os.chdir, HERE)
        with open_verified("..", "config.json", **self.trust) as f:
            self.assertTrue(f.read())

    def test_one_file_signed_by_shards(self):
        trust = dict(self.trust, bundle=os.path.join(DATA, "weights.sig"))
        with open_verified(self.path, ".", **trust) as f:
            self.assertEqual(f.read(), self.data)
        self.flip(self.path, 9000)
        self.refused("OMS_DIGEST_MISMATCH", open_verified, self.path, ".", **trust)

    def test_could_not_verify(self):
        for change in ({"key": "/nowhere.pub"}, {"bundle": "/nowhere.sig"}, {"verifier": "/nowhere"}, {"verifier": "/bin/false"}, {"verifier": "/bin/true"}):
            with self.assertRaises(CouldNotVerify):
                open_verified(self.root, "weights.bin", **dict(self.trust, **change))
        with self.assertRaises(CouldNotVerify):
            open_verified("/nowhere", "weights.bin", **self.trust)

    def test_wrong_arguments(self):
        for change in ({"key": None}, {"certificate_chain": "x"}, {"key": None, "certificate_chain": []}):
            with self.assertRaises(ValueError):
                open_verified(self.root, "weights.bin", **dict(self.trust, **change))

    def test_a_path_keeps_its_file(self):
        evil = os.path.join(self.tmp, "evil.bin")
        with open(evil, "wb") as f:
            f.write(b"other bytes")
        path = open_verified(self.root, "weights.bin", **self.trust).path  # nothing else has the file
        gc.collect()
        held = [open(evil, "rb") for _ in range(4)]
        try:
            with open(path, "rb") as f:
                self.assertEqual(f.read(), self.data)
            with open(os.fspath(path), "rb") as f:
                self.assertEqual(f.read(), self.data)
            self.assertIsInstance(path, str)
        finally:
            for f in held:
                f.close()
        path.file.close()
        with self.assertRaises(ValueError):
            path.file.path

    def test_no_descriptor_leaks(self):
        before = os.listdir("/proc/self/fd")
        open_verified(self.root, "weights.bin", **self.trust).close()
        self.flip(self.path)
        self.refused("OMS_DIGEST_MISMATCH", open_verified, self.root, "weights.bin", **self.trust)
        self.assertEqual(len(os.listdir("/proc/self/fd")), len(before))


class AVerifierThatLies(Case):
    """What is handed over is checked here too."""

    SEND = """
    def send(fds, text):
        s = socket.socket(fileno=fd)
        s.sendmsg([text], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))])
        s.detach()
    clean = '{"schema": "bartizan.report/v1", "subjects": [{"verdict": "clean", "coverage": "complete", "reasons": []}]}'
    said = b'{"name": "weights.bin", "size": 20000, "sealed": true}'
    """

    def lies(self, body):
        before = len(os.listdir("/proc/self/fd"))
        verifier = self.fake(textwrap.dedent(self.SEND) + textwrap.dedent(body))
        with self.assertRaises(CouldNotVerify) as raised:
            open_verified(self.root, "weights.bin", verifier=verifier, **self.trust)
        self.assertEqual(len(os.listdir("/proc/self/fd")), before)
        return str(raised.exception)

    def test_lies(self):
        weights = repr(self.path)
        for body, why in (
            ("print(clean)", "0 descriptors"),
            ("send([os.open(%s, os.O_RDONLY)], said); print(clean)" % weights, "not the verified copy"),
            ("send([0, 0], said); print(clean)", "not one"),
            ("send([0], b'{'); print(clean)", "not understood"),
            ("send([0], said.replace(b'weights', b'others')); print(clean)", "another file"),
            ("send([0], said)", "no report"),
            ("send([0], said); print(clean); sys.exit(1)", "contradicts"),
            ("send([0], said); print(clean.replace('clean', 'block'))", "contradicts"),
            ("send([0], said); print(clean.replace('complete', 'incomplete'))", "contradicts"),
            ("send([0], said); print(clean); sys.exit(2)", "code 2"),
            (
                "t = os.open('/tmp', os.O_TMPFILE | os.O_RDWR); os.truncate(t, 20000)\n"
                "send([os.open('/proc/self/fd/%d' % t, os.O_RDONLY)], said); print(clean)",
                "not sealed",
            ),
            (
                "t = os.open('/tmp', os.O_TMPFILE | os.O_RDWR); os.truncate(t, 20000)\n"
                "send([t], said.replace(b'true', b'false')); print(clean)",
                "can be written",
            ),
            (
                "import ctypes\n"
                "t = ctypes.CDLL(None, use_errno=True).syscall(319 if os.uname()[4] == 'x86_64' else 279, b'x', 0)\n"
                "assert t >= 0; os.truncate(t, 20000)\n"
                "send([os.open('/proc/self/fd/%d' % t, os.O_RDONLY)], said.replace(b'true', b'false')); print(clean)",
                "not sealed",
            ),
            ("t = os.open('/tmp', os.O_TMPFILE | os.O_RDWR)\nsend([t], said); print(clean)", "not the verified copy"),
        ):
            self.assertIn(why, self.lies(body), body)


class Verified(Case):
    def test_a_private_copy_that_is_gone_afterwards(self):
        with verified(self.root, **self.trust) as folder:
            self.flip(self.path)
            with open(os.path.join(folder, "weights.bin"), "rb") as f:
                self.assertEqual(f.read(), self.data)
            self.assertEqual(sorted(os.listdir(folder)), ["config.json", "sub", "weights.bin"])
            self.assertEqual(stat.S_IMODE(os.stat(folder).st_mode), 0o500)
            self.assertEqual(stat.S_IMODE(os.stat(os.path.dirname(folder)).st_mode), 0o700)
            self.assertEqual(stat.S_IMODE(os.stat(os.path.join(folder, "weights.bin")).st_mode), 0o400)
            self.assertEqual(os.path.basename(folder), "model")
        self.assertFalse(os.path.exists(os.path.dirname(folder)))

    def test_gone_after_an_error_too(self):
        with self.assertRaises(KeyError):
            with verified(self.root, temp_dir=self.tmp, **self.trust):
                raise KeyError()
        self.flip(self.path)
        with self.assertRaises(VerificationError) as raised:
            with verified(self.root, temp_dir=self.tmp, **self.trust):
                self.fail("was handed over")
        self.assertEqual(raised.exception.code, "OMS_DIGEST_MISMATCH")
        self.assertEqual(os.listdir(self.tmp), ["model"])

    def test_files_that_nobody_signed(self):
        with open(os.path.join(self.root, "notes.txt"), "w") as f:
            f.write("nothing that loads")
        with self.assertRaises(VerificationError) as raised:
            with verified(self.root, **self.trust):
                self.fail("was handed over")
        self.assertEqual(raised.exception.code, "OMS_FILE_UNSIGNED")
        for how in ({"ignore": "notes.txt"}, {"ignore": ["notes.txt"]}, {"ignore_unsigned": True}):
            with verified(self.root, **dict(self.trust, **how)) as folder:
                self.assertNotIn("notes.txt", os.listdir(folder))

    def test_one_file(self):
        with verified(self.path, **dict(self.trust, bundle=os.path.join(DATA, "weights.sig"))) as path:
            self.assertEqual(os.path.basename(path), "weights.bin")
            with open(path, "rb") as f:
                self.assertEqual(f.read(), self.data)


class FindsTheVerifier(Case):
    def test_relative_folders_in_path_are_passed_over(self):
        os.rename(self.fake(""), os.path.join(self.tmp, "bartizan-verify"))
        code = "from bartizan._verifier import find; print(find())"
        for path, found in ((".", False), ("", False), (self.tmp, True)):
            environment = {"PATH": path, "PYTHONPATH": os.path.dirname(HERE)}
            done = subprocess.Popen([sys.executable, "-c", code], cwd=self.tmp, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            out, err = done.communicate()
            self.assertEqual(done.returncode == 0, found, err)
            if found:
                self.assertEqual(out.decode().strip(), os.path.join(self.tmp, "bartizan-verify"))

    def test_what_is_named_is_not_of_the_current_folder(self):
        os.rename(self.fake(""), os.path.join(self.tmp, "bartizan-verify"))
        old = os.getcwd(), os.environ.get("BARTIZAN_VERIFY")
        self.addCleanup(os.chdir, old[0])
        os.chdir(self.tmp)

        def restore():
            os.environ.pop("BARTIZAN_VERIFY", None)
            if old[1] is not None:
                os.environ["BARTIZAN_VERIFY"] = old[1]

        self.addCleanup(restore)
        for named in ("bartizan-verify", "./bartizan-verify", "../" + os.path.basename(self.tmp) + "/bartizan-verify"):
            os.environ["BARTIZAN_VERIFY"] = named
            with self.assertRaises(CouldNotVerify) as raised:
                find()
            self.assertIn("absolute", str(raised.exception))
        os.environ["BARTIZAN_VERIFY"] = os.path.join(self.tmp, "bartizan-verify")
        self.assertEqual(find(), os.path.join(self.tmp, "bartizan-verify"))
        self.assertEqual(os.path.realpath(find("./bartizan-verify")), os.path.realpath(find()))
        for named in ("bartizan-verify", "", "./missing"):
            with self.assertRaises(CouldNotVerify):
                find(named)


if __name__ == "__main__":
    if not os.environ.get("BARTIZAN_VERIFY"):
        sys.exit("name the program bartizan-verify in BARTIZAN_VERIFY")
    unittest.main()
