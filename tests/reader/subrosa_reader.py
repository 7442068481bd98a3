#!/usr/bin/env python3
"""Print everything that a credential opens in a vault.

    printf %s "$PASSWORD" | python3 subrosa_reader.py VAULT --password

Written from docs/format.md, by somebody who had not seen the library's source. It reads and checks; it never
writes to a vault. The exit codes: 0 read, 3 wrong credential, 4 damaged or forked, 5 unreadable file,
6 written for a newer reader, 7 not a vault, 8 a password derivation that it refuses.
"""

import argparse
import json
import os
import re
import sys

from errors import Refused
from vault import read_attachment, read_vault

CODES = {"wrong-credential": 3, "damaged": 4, "forked": 4, "newer-version": 6, "newer-compartment": 6,
         "not-a-vault": 7, "kdf": 8, "weak-kdf": 8, "costly-kdf": 8}


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("vault", help="the vault file")
    sort = parser.add_mutually_exclusive_group(required=True)
    for name in ("password", "recovery-key", "raw-key-hex"):
        sort.add_argument(f"--{name}", dest="sort", action="store_const", const=name)
    parser.add_argument("--credential-variable", metavar="NAME",
                        help="take the credential from this environment variable, not standard input")
    parser.add_argument("--attachment", metavar="DIGEST",
                        help="write the bytes of the stored attachment with this content digest instead")
    return parser.parse_args()


def given_credential(options):
    """The credential, less one line end."""
    if options.credential_variable:
        return {options.sort: os.environ[options.credential_variable]}
    return {options.sort: re.sub("\r?\n$", "", sys.stdin.read())}


def show(data, options):
    """Write the vault, or one attachment, to standard output."""
    credential = given_credential(options)
    if options.attachment:
        for part in read_attachment(data, credential, bytes.fromhex(options.attachment)):
            sys.stdout.buffer.write(part)
        return
    outcome, _, content = read_vault(data, credential)
    content.update(needs_recovery=outcome == "repaired", dropped=outcome == "dropped")
    sys.stdout.reconfigure(encoding="utf-8")
    sys.stdout.write(json.dumps(content, ensure_ascii=False, indent=2, sort_keys=True) + "\n")


def main():
    """Print the vault, or the rule that it breaks. Returns the exit code."""
    options = arguments()
    try:
        with open(options.vault, "rb") as file:
            data = file.read()
        show(data, options)
    except OSError as error:
        print(f"unreadable: {error.strerror}", file=sys.stderr)
        return 5
    except Refused as refusal:
        print(refusal, file=sys.stderr)
        return CODES[refusal.outcome]
    return 0


if __name__ == "__main__":
    sys.exit(main())
