"""Which rules no vector needs: leaves out one check of the reader at a time and reads every vector.

    python3 mutate.py FOLDER [MODULE …]

FOLDER holds vectors.json. Prints each mutant, of all modules or of those that are named, that no vector tells
from the reader. Many of these break no rule: another check refuses the same vectors. The others lack a vector.
This takes half an hour.
"""

import ast
import copy
import json
import pathlib
import sys
import types

import primitives
from run_vectors import vector_bytes

MODULES = ("errors", "boxes", "header", "credentials", "areas", "roots", "codec", "catalogue", "rowkeys", "trie",
           "entries", "attachments", "custody", "history", "imports", "dump", "vault")
HERE = pathlib.Path(__file__).parent
SOURCES = {name: (HERE / f"{name}.py").read_text("utf-8") for name in MODULES}
ALWAYS, NEVER = ast.Constant(True), ast.Constant(False)


def load(mutated=None, tree=None):
    """The modules of the reader anew, one of them mutated; a derivation that costs too much is not run."""
    for name in MODULES:
        sys.modules.pop(name, None)
    for name in MODULES:
        module = sys.modules[name] = types.ModuleType(name)
        exec(compile(tree if name == mutated else SOURCES[name], name, "exec"), module.__dict__)
    known = {}

    def argon2id(*asked):
        _, _, memory, passes, _ = asked
        if memory * passes > 4 << 20:
            return bytes(32)
        if asked not in known:
            known[asked] = primitives.argon2id(*asked)
        return known[asked]

    sys.modules["credentials"].argon2id = argon2id
    return sys.modules["vault"].read_vault, sys.modules["errors"].Refused


def first_mistake(vectors, read_vault, refused):
    """The name of the first vector of which something else than expected is read."""
    for vector, data, content in vectors:
        try:
            outcome, _, found = read_vault(data, vector["credential"])
        except refused as refusal:
            outcome, found = refusal.outcome, None
        except Exception:  # what a check kept out
            return vector["name"]
        if outcome != vector["expect"] or content not in (None, found):
            return vector["name"]
    return None


def parts(comparison):
    """A chained comparison without one of its links at a time."""
    sides = [comparison.left, *comparison.comparators]
    links = [ast.Compare(a, [op], [b]) for a, op, b in zip(sides, comparison.ops, sides[1:])]
    for index, link in enumerate(links):
        rest = links[:index] + links[index + 1:]
        yield link, rest[0] if len(rest) == 1 else ast.BoolOp(ast.And(), rest)


def without(condition, neutral, joined):
    """A condition as if it were not there, and without one of its parts at a time."""
    yield condition, neutral
    if isinstance(condition, ast.BoolOp) and isinstance(condition.op, joined):
        for index, part in enumerate(condition.values):
            less = copy.deepcopy(condition)
            less.values[index] = neutral
            yield part, less
    if joined is ast.And and isinstance(condition, ast.Compare) and len(condition.ops) > 1:
        yield from parts(condition)


def mutants(tree):
    """(line, what is left out, where it stands, what stands there instead)."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) \
                and getattr(node.value.func, "id", "") == "require":
            condition = node.value.args[0]
            for part, rest in without(condition, ALWAYS, ast.And):
                yield node.lineno, part, lambda new, args=node.value.args: args.__setitem__(0, new), condition, rest
        elif isinstance(node, ast.If) and isinstance(node.body[0], (ast.Raise, ast.Return, ast.Continue)):
            for part, rest in without(node.test, NEVER, ast.Or):
                yield node.lineno, part, lambda new, node=node: setattr(node, "test", new), node.test, rest


def main():
    """Try every mutant."""
    folder = pathlib.Path(sys.argv[1])
    named = {vector["name"]: vector for vector in json.loads((folder / "vectors.json").read_text("utf-8"))}
    vectors = [(vector, vector_bytes(folder, named, vector),
                vector["content"] and json.loads((folder / vector["content"]).read_text("utf-8")))
               for vector in named.values()]
    assert first_mistake(vectors, *load()) is None, "the reader itself reads every vector as it should"
    tried = survived = 0
    for name in sys.argv[2:] or MODULES:
        tree = ast.parse(SOURCES[name])
        for line, part, put, before, rest in list(mutants(tree)):
            put(rest)
            mutant = ast.fix_missing_locations(copy.deepcopy(tree))
            put(before)
            tried += 1
            if first_mistake(vectors, *load(name, mutant)) is None:
                survived += 1
                print(f"{name}.py:{line}: {ast.unparse(part)}", flush=True)
    print(f"{tried} mutants, {survived} of which no vector tells")


if __name__ == "__main__":
    main()
