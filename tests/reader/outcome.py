"""The outcomes of a reading, each with its exit code.

A message names the rule that was broken, never anything that a vault holds.
"""


class Refused(Exception):
    """A vault that is not read, and why."""

    code = 1
    name = "refused"


class WrongCredential(Refused):
    """No slot of a named area opens with the credential."""

    code = 3
    name = "wrong-credential"


class Damaged(Refused):
    """A rule of the format does not hold."""

    code = 4
    name = "damaged"


class Forked(Damaged):
    """Two states of one number."""

    name = "forked"


class NewerVersion(Refused):
    """Written for a later reader than this one."""

    code = 6
    name = "newer-version"


class NewerCompartment(NewerVersion):
    """A compartment was written for a later reader than this one."""

    name = "newer-compartment"


class NotAVault(Refused):
    """The magic is missing."""

    code = 7
    name = "not-a-vault"


class WeakKdf(Refused):
    """The password derivation costs less than the floor."""

    code = 8
    name = "weak-kdf"


class CostlyKdf(Refused):
    """The password derivation costs more than the ceiling."""

    code = 8
    name = "costly-kdf"


class InvalidKdf(Refused):
    """The numbers are not parameters of Argon2."""

    code = 8
    name = "kdf"


def require(condition, rule):
    """Refuse a vault that breaks a rule."""
    if not condition:
        raise Damaged(rule)
