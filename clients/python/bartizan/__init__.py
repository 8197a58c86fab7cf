"""Load models from the very bytes that a signature vouches for.

Nothing here trusts a path twice: the program bartizan-verify checks the
signature and the bytes, and hands over a descriptor of the bytes that it
checked, or a private copy of them.
"""
from ._errors import CouldNotVerify, VerificationError
from ._file import VerifiedFile, open_verified
from ._folder import verified

__all__ = ["CouldNotVerify", "VerificationError", "VerifiedFile", "open_verified", "verified"]
