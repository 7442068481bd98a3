"""Verifies an excerpt's JSON file with foreign implementations and prints its claims.

    pip install sd-jwt==0.10.4 jwcrypto
    python verify_sd_jwt.py FILE.json

The envelope is verified with jwcrypto, every entry token with PyPI sd-jwt. The
rules of docs/excerpt.md that those two do not know (exact binding of the tokens,
types, thumbprint) are checked here. Exit code 0 means that everything verified.
"""

import base64
import hashlib
import json
import sys

from jwcrypto import jwk, jws
from sd_jwt.verifier import SDJWTVerifier


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def header(token):
    part = token.split(".")[0]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def check(condition, fault):
    if not condition:
        sys.exit(f"invalid: {fault}")


def algorithm(key):
    return {"EC": "ES256", "OKP": "EdDSA"}[key["kty"]]


def check_header(token, typ, key):
    expected = {"alg": algorithm(key), "typ": typ, "kid": key.thumbprint()}
    check(header(token) == expected, f"the header of a {typ} is not {expected}")


def verify_envelope(excerpt, key):
    check_header(excerpt["envelope"], "subrosa-excerpt+jwt", key)
    token = jws.JWS()
    token.allowed_algs = [algorithm(key)]
    token.deserialize(excerpt["envelope"], key)
    return json.loads(token.payload)


def subject_claim(subject):
    """What every entry says of its subject (docs/excerpt.md, section 5)."""
    salt = base64.urlsafe_b64decode(subject["salt"] + "==")
    texts = [subject["name"].encode(), subject.get("born", "").encode()]
    sized = b"".join(len(text).to_bytes(8, "little") + text for text in texts)
    return base64url(hashlib.sha256(b"subrosa/v1 subject" + salt + sized).digest())


def verify_entry(token, key):
    check_header(token, "subrosa-entry+sd-jwt", key)
    verifier = SDJWTVerifier(token, lambda issuer, header_parameters: key)
    return verifier.get_verified_payload()


def main(path):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    excerpt = json.loads(text.removeprefix("\ufeff"))
    check(excerpt["subrosa_excerpt"] == 1, "unknown version")
    check("d" not in excerpt["key"], "the key is private")
    check(json.dumps(excerpt, separators=(",", ":")) == text.removeprefix("\ufeff").rstrip("\r\n"), "another spelling")
    key = jwk.JWK(**excerpt["key"])
    envelope = verify_envelope(excerpt, key)
    digests = [base64url(hashlib.sha256(token.encode()).digest()) for token in excerpt["entries"]]
    check(digests == [entry["sha-256"] for entry in envelope["entries"]], "entries are not those that were issued")
    entries = [verify_entry(token, key) for token in excerpt["entries"]]
    subject = envelope.get("subject")
    expected = subject_claim(subject) if subject else None
    check(all(entry.get("subject") == expected for entry in entries), "an entry is about somebody else")
    json.dump({"envelope": envelope, "entries": entries}, sys.stdout, indent=2, ensure_ascii=False)
    print()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
