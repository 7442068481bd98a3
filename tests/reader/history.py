"""Links, ledger, stories and accounts (section 9.2)."""

from catalogue import TYPES, read
from codec import encode
from errors import require
from header import APPEND
from primitives import BLOCK, sha256
from roots import RECORD
from trie import ACCOUNTING, LEDGER, LINK, STORY, row_content

ACTIONS = {1: "created", 2: "added", 3: "imported", 4: "amended", 5: "retracted", 6: "expunged", 7: "released",
           8: "password changed", 9: "exported", 10: "backed up", 11: "compacted", 12: "access granted",
           13: "access revoked", 14: "import undone", 15: "answers forgotten", 16: "changed", 17: "access changed",
           18: "renewed", 19: "moved"}
DETAILS = {1: "recipient", 2: "purpose", 3: "policy", 4: "excerpt", 5: "name", 6: "checkpoint", 7: "signer",
           8: "import"}
RELEASED, EXPORTED, MOVED = 7, 9, 19
ROLES = {1: "owner", 2: "member", 3: "subrosa"}
ZERO = bytes(32)
TEXT = 16384


def link_digest(encoded):
    """The digest of an encoded link."""
    return sha256(b"subrosa/v1 link", encoded)


def tree_root(place, leaf, path):
    """The root of a link's tree, from the encoded leaf of a place and its siblings upwards."""
    node = sha256(b"subrosa/v1 leaf", leaf)
    for height, sibling in enumerate(path):
        pair = (sibling, node) if place >> height & 1 else (node, sibling)
        node = sha256(b"subrosa/v1 node", *pair)
    return node


def read_links(vault, rows):
    """One link for each epoch, each with the digest of the one before: {epoch: (link, digest)}."""
    found = {row.epoch: row.inline for row in rows if row.row_class == LINK}
    require(sorted(found) == list(range(1, vault.root.epoch + 1)), "9.2: one link for each epoch")
    links, before = {}, ZERO
    for epoch in range(1, vault.root.epoch + 1):
        link = read("LinkV1", found[epoch])
        require(link["epoch"] == epoch, "9.2: epoch of a link")
        require(link["previous_link"] == before, "9.2: each link has the digest of the one before")
        require(epoch > 1 or link["previous_root"] == ZERO, "9.2: the first link has no root before it")
        before = link_digest(found[epoch])
        links[epoch] = link, before
    require(link["previous_root"] == vault.root.previous, "9.2: the last link has the previous root of the root")
    check_spans(vault.root, links)
    return links


def check_spans(root, links):
    """Sections 6 and 9.2: each segment ends where the one after it starts, the first one at 81920."""
    zero = {"start": 0, "end": 0, "parts": 0, "digest": ZERO}
    require(links[1][0]["segment"] == zero, "9.2: the segment of the first link is zero")
    start = root.start
    for epoch in range(root.epoch, 0, -1):
        span = links[epoch][0]["segment"]
        if span == zero:
            break
        require(span["end"] == start and span["start"] + span["parts"] <= span["end"]
                and not any(span[name] % BLOCK for name in ("start", "end", "parts")), "9.2: segment of a link")
        start = span["start"]
    require(start == APPEND, "9.2: the first segment starts at 81920")


def read_ledger(vault, rows, place_number, place, links):
    """The ledger of a compartment: {epoch: lines}; the head of the place at its link."""
    ledger = {}
    for row in rows:
        if row.row_class == LEDGER:
            content = read("LedgerV1", row_content(vault, row))
            require(content["epoch"] == row.epoch, "9.2: epoch of a ledger row")
            leaf = encode(TYPES, "LeafV1", content["leaf"])
            require(tree_root(place_number, leaf, content["path"]) == links[row.epoch][0]["leaves"],
                    "9.2: a ledger row is in its link's tree")
            check_lines(content["leaf"]["lines"])
            ledger[row.epoch] = content["leaf"]["lines"]
    last = vault.root.epoch if place_number == RECORD else max(ledger, default=0)
    require(place.head_epoch == last, "7: epoch of the ledger head")
    require(place.head == (links[last][1] if last else ZERO), "9.2: every ledger head is at its link")
    return ledger


def check_lines(lines):
    """The lines of a leaf."""
    require(1 <= len(lines) <= 4096, "9.2: a leaf has 1 to 4096 lines")
    require(len({encode(TYPES, "LineV1", line) for line in lines}) == len(lines), "9.2: no line twice")
    for line in lines:
        numbers = [number for number, _ in line["details"]]
        require(all(a < b for a, b in zip(numbers, numbers[1:])), "9.2: details ascend strictly")
        require(not any(1 <= n <= 4 for n in numbers), "9.2: no line has details 1 to 4")
        texts = [line["actor"], line["reason"] or "", *(text for _, text in line["details"])]
        require(all(len(text.encode()) <= TEXT for text in texts), "9.2: length of a text of a line")


def read_stories(vault, rows, entries):
    """{entry id: acts}: every story is that of an entry of its compartment."""
    stories = {}
    for row in rows:
        if row.row_class == STORY:
            acts = read("StoryV1", row_content(vault, row))["acts"]
            require(row.id in entries, "9.2: for every story an entry")
            require(acts, "9.2: an entry of which nothing is to be told has no story")
            epochs = [act["epoch"] for act in acts]
            require(epochs == sorted(epochs), "9.2: no act has a lower epoch than the one before it")
            require(1 <= epochs[0] and epochs[-1] <= vault.root.epoch, "9.2: epochs of acts")
            once = {(act["epoch"], act["action"], act["revision"]) for act in acts}
            require(len(once) == len(acts), "9.2: no act is there twice")
            revisions = {r.revision: r.epoch for r, _ in entries[row.id]}
            for act in acts:
                require(act["revision"] == 0 or revisions.get(act["revision"]) == act["epoch"],
                        "9.2: an act of a revision is of the commit that wrote it")
                require(act["action"] != RELEASED or act["revision"] == 0, "9.2: a release makes no revision")
            stories[row.id] = acts
    return stories


def read_accounts(vault, rows, stories):
    """{epoch: accounting row}: each counts the stories that tell of its release."""
    accounts = {}
    for row in rows:
        if row.row_class == ACCOUNTING:
            account = read("AccountingV1", row_content(vault, row))
            require(account["epoch"] == row.epoch, "9.2: epoch of an accounting row")
            accounts[row.epoch] = account
    told = {}
    for acts in stories.values():
        for epoch in {act["epoch"] for act in acts if act["action"] == RELEASED}:
            told[epoch] = told.get(epoch, 0) + 1
    counted = {epoch: account["entries"] for epoch, account in accounts.items() if account["entries"]}
    require(told == counted, "9.2: an accounting row counts the stories of its release")
    return accounts
