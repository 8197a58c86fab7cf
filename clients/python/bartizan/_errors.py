"""What is raised where bytes are not handed over."""


class VerificationError(Exception):
    """The bytes, or the signature, are not what they should be.

    code is the stable reason code, such as OMS_DIGEST_MISMATCH; reasons are all
    reasons as text, each beginning with its code.
    """

    def __init__(self, code, reasons):
        super().__init__("; ".join(reasons) or code)
        self.code = code
        self.reasons = list(reasons)


class CouldNotVerify(VerificationError):
    """The check could not be made: no verifier, no such file, a full disk."""

    def __init__(self, reason):
        super().__init__("COULD_NOT_VERIFY", [reason])
