"""The model_signing package, called as a program would call it: keys, signing, verifying."""

import contextlib
import datetime
import io
import pathlib
import signal

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from model_signing import hashing, signing, verifying

PEM = serialization.Encoding.PEM
CURVES = {"p256": ec.SECP256R1(), "p384": ec.SECP384R1(), "p521": ec.SECP521R1()}


def write_private(path, key):
    path.write_bytes(key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))


def make_keys(folder):
    """K.pem and K.pub for each curve and "other"; root, intermediate and leaf, also of a stranger."""
    for name, curve in {**CURVES, "other": ec.SECP256R1()}.items():
        key = ec.generate_private_key(curve)
        write_private(folder / (name + ".pem"), key)
        (folder / (name + ".pub")).write_bytes(key.public_key().public_bytes(PEM, serialization.PublicFormat.SubjectPublicKeyInfo))
    for prefix in ("", "stranger-"):
        root, between, leaf = (ec.generate_private_key(c) for c in (ec.SECP384R1(), ec.SECP256R1(), ec.SECP256R1()))
        root_cert = certificate("root", root, None, root, True)
        between_cert = certificate("between", between, root_cert, root, True)
        leaf_cert = certificate("signer", leaf, between_cert, between, False)
        for name, cert in (("root", root_cert), ("between", between_cert), ("leaf", leaf_cert)):
            (folder / f"{prefix}{name}.crt").write_bytes(cert.public_bytes(PEM))
        write_private(folder / f"{prefix}leaf.pem", leaf)


def certificate(name, key, issuer, issuer_key, is_ca):
    now = datetime.datetime.now(datetime.timezone.utc)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (x509.CertificateBuilder().subject_name(subject).issuer_name(issuer.subject if issuer else subject)
               .public_key(key.public_key()).serial_number(x509.random_serial_number())
               .not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(now + datetime.timedelta(days=365))
               .add_extension(x509.BasicConstraints(is_ca, None), True)
               .add_extension(x509.KeyUsage(not is_ca, False, False, False, False, is_ca, is_ca, False, False), True)
               .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
               .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), False))
    if not is_ca:
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), False)
    return builder.sign(issuer_key, hashes.SHA256())


def hashing_config(algorithm="sha256", shards=0):
    name = {"blake2b": "blake2"}.get(algorithm, algorithm)  # one digest, two names of theirs
    if shards:
        return hashing.Config().use_shard_serialization(hashing_algorithm=name, shard_size=shards)
    return hashing.Config().use_file_serialization(hashing_algorithm=name)


class TookTooLong(BaseException):
    pass


def on_alarm(signum, frame):
    raise TookTooLong()


def attempt(work, seconds=30):
    """Why it failed, or "" where it did not. Whatever is raised is a refusal."""
    signal.signal(signal.SIGALRM, on_alarm)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            work()
        return ""
    except TookTooLong:
        return "took longer than %d s" % seconds
    except BaseException as e:  # noqa: BLE001: pydantic, asn1 and protobuf raise what they like
        if isinstance(e, KeyboardInterrupt):
            raise
        return f"{type(e).__name__}: {e}"[:200]
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def sign(path, bundle, keys, signer, algorithm="sha256", shards=0, ignore=()):
    config = hashing_config(algorithm, shards).set_ignored_paths(
        paths=[bundle, *[path / i for i in ignore]], ignore_git_paths=True)
    signing_config = signing.Config().set_hashing_config(config)
    if signer == "certificate":
        signing_config.use_certificate_signer(private_key=keys / "leaf.pem", signing_certificate=keys / "leaf.crt",
                                              certificate_chain=[keys / "between.crt"])
    else:
        signing_config.use_elliptic_key_signer(private_key=keys / (signer + ".pem"))
    return attempt(lambda: signing_config.sign(path, bundle))


def verify(path, bundle, key=None, root=None, told=None, ignore=()):
    """told is (algorithm, shards): release 1.1.1 cannot read back its own blake2b and sharded bundles without."""
    config = verifying.Config()
    if key:
        config.use_elliptic_key_verifier(public_key=key)
    else:
        config.use_certificate_verifier(certificate_chain=[root])
    if told:
        config.set_hashing_config(hashing_config(*told).set_ignored_paths(paths=[pathlib.Path(path, i) for i in ignore], ignore_git_paths=True))
    return attempt(lambda: config.verify(pathlib.Path(path), pathlib.Path(bundle)))
