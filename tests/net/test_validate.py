"""weft validate: an intent file is judged without a daemon."""

import glob
import json
import os
import subprocess

from weft import DONE, NEGATIVE, ROOT, USAGE

EXAMPLES = sorted(glob.glob(os.path.join(ROOT, "examples", "*.yaml")))


def validate(lab, *args, text=None):
    """(status, standard output, standard error)"""
    done = subprocess.run([lab.program("weft"), "validate", *args], input=text,
                          capture_output=True, text=True, timeout=30)
    return done.returncode, done.stdout, done.stderr


def test_the_examples_are_right(lab):
    status, said, errors = validate(lab, *EXAMPLES)
    assert (status, errors) == (DONE, "")
    assert [line.rsplit(": ", 1)[1] for line in said.splitlines()] == (
        ["ok"] * len(EXAMPLES))
    two = [line for line in said.splitlines() if "two-networks" in line]
    assert two[0].endswith("two-networks.yaml: 2 networks, 3 ports: ok")


def test_all_that_is_wrong_is_named_with_its_place(lab):
    text = ("version: 1\n"
            "networks:\n"
            "  blue: {subnet: 10.1.0.0/24}\n"
            "ports:\n"
            "  web: {network: blu, netns: web}\n"
            "  db:  {network: blue, tap: db, address: 10.2.0.9}\n")
    status, said, errors = validate(lab, "-", text=text)
    assert (status, said) == (NEGATIVE, "")
    assert errors == (
        "(standard input):5:18: network: there is no network 'blu'; did you "
        "mean 'blue'?\n"
        "(standard input):6:42: address: 10.2.0.9 is not within 10.1.0.0/24 "
        "of network 'blue'\n")
    status, said, errors = validate(lab, "-j", "-",
                                    text=text.replace("blu,", "blue,"))
    assert status == NEGATIVE and errors == ""
    assert json.loads(said) == {
        "file": "-", "ok": False, "errors": [{
            "file": "(standard input)", "line": 6, "column": 42,
            "path": "ports.db.address",
            "what": "address: 10.2.0.9 is not within 10.1.0.0/24 of network "
                    "'blue'"}]}


def test_it_needs_a_file_or_prints_the_schema(lab):
    assert validate(lab)[0] == USAGE
    status, said, _ = validate(lab, "--schema")
    assert status == DONE
    with open(os.path.join(ROOT, "doc", "intent.schema.json")) as f:
        assert json.loads(said) == json.load(f)
