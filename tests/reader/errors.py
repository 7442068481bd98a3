"""How a reader refuses a vault: one exception, the outcome's name and the rule that was broken."""


class Refused(Exception):
    """A refusal. `outcome` is one of the names of vectors.json; `rule` says why."""

    def __init__(self, outcome, rule):
        super().__init__(f"{outcome}: {rule}")
        self.outcome = outcome
        self.rule = rule


def damaged(rule):
    """The refusal for everything that breaks a rule of the format."""
    return Refused("damaged", rule)


def require(condition, rule):
    """Refuse the vault as damaged unless `condition` holds."""
    if not condition:
        raise damaged(rule)
