"""What happened to entries (docs/format.md, section 9.2): stories, accounts of releases, and the
lines of the ledger with the entries that they are about.
"""

import wire
from catalogue import ACCOUNTING, CURRENT, CUSTODY, EARLIER, STORY, read_object
from outcome import require
from primitives import Purpose

IMPORTED, ADDED, AMENDED, RETRACTED, RELEASED, EXPORTED, MOVED = 3, 2, 4, 5, 7, 9, 19


class Stories:
    """What the rows of one compartment tell of its entries."""

    def __init__(self, objects, number, rows):
        self.number = number
        self.stories = {
            row["id"]: self._story(objects, row) for row in rows if row["row_class"] == STORY
        }
        self.accounts = {
            row["epoch"]: self._account(objects, row) for row in rows if row["row_class"] == ACCOUNTING
        }
        self.revisions = {}
        for row in rows:
            if row["row_class"] in (CURRENT, EARLIER):
                self.revisions.setdefault(row["id"], []).append((row["revision"], row["epoch"]))

    def _story(self, objects, row):
        what = f"story of place {self.number}"
        acts = read_object(
            objects, self.number, row, Purpose.STORY, wire.STORY, wire.STORY_LIMIT, what,
            object_id=row["id"],
        )
        epochs = [act["epoch"] for act in acts]
        require(acts and epochs == sorted(epochs), f"{what}: its acts")
        return acts

    def _account(self, objects, row):
        what = f"accounting of place {self.number}"
        account = read_object(
            objects, self.number, row, Purpose.ACCOUNTING, wire.ACCOUNTING, wire.ACCOUNTING_LIMIT, what,
        )
        require(account["epoch"] == row["epoch"], f"{what}: epoch")
        return account

    def check(self):
        """Every story is an entry's, and every account of as many entries as tell of it."""
        what = f"stories of place {self.number}"
        require(self.stories.keys() <= self.revisions.keys(), f"{what}: one belongs to no entry")
        told = {}
        for acts in self.stories.values():
            for epoch in releases(acts):
                told[epoch] = told.get(epoch, 0) + 1
        counted = {epoch: account["entries"] for epoch, account in self.accounts.items() if account["entries"]}
        require(told == counted, f"{what}: accounts of releases")

    def concerned(self, actions):
        """Pairs of (epoch, action) and the entries that each was about."""
        found = {}
        for identifier, revisions in self.revisions.items():
            first = min(epoch for _, epoch in revisions)
            acts = self.stories.get(identifier, [])
            for revision, epoch in revisions:
                action = act_of(acts, revision, epoch == first, actions.get(epoch, ()))
                if action is not None:
                    found.setdefault((epoch, action), set()).add(identifier)
            for epoch in releases(acts):
                found.setdefault((epoch, RELEASED), set()).add(identifier)
            for epoch, done in actions.items():
                if EXPORTED in done and epoch > first:
                    found.setdefault((epoch, EXPORTED), set()).add(identifier)
        return found


def releases(acts):
    """The commits that released an entry."""
    return [act["epoch"] for act in acts if act["action"] == RELEASED]


def act_of(acts, revision, is_first, done):
    """What made a revision: its story says, else what its commit did in the compartment."""
    for act in acts:
        if act["revision"] == revision:
            return act["action"]
    may_be = (IMPORTED, ADDED, MOVED) if is_first else (AMENDED, RETRACTED)
    return next((action for action in may_be if action in done), None)


def details(account):
    """To whom a release went."""
    named = ("recipient", "purpose", "policy", "excerpt", "signer")
    return {name: account[name] for name in named if account[name] is not None}
