#!/usr/bin/env python3
"""Verifies an export of the audit without Gatehouse: Python's standard library, and openssl for the signatures.

    audit_check.py EXPORT FINGERPRINT [CHECKPOINTS]

EXPORT is what `gatehouse audit export` wrote, FINGERPRINT what `gatehouse audit key` printed when it was noted elsewhere,
CHECKPOINTS the file outside the data folder that the configuration names. Ends with 1 and a reason at the first fault.
Records of the form before there was a tree are beyond this script: `gatehouse audit verify` knows them.
"""
import base64, hashlib, json, os, subprocess, sys, tempfile


def sha(data):
    return hashlib.sha256(data).digest()


def canonical(value):  # RFC 8785, for objects of texts with ASCII names
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def fail(why):
    sys.exit("NOT verified: " + why)


def append(peaks, size, leaf):  # RFC 6962 section 2.1: joins complete subtrees of one height
    while size & 1:
        leaf, size = sha(b"\1" + peaks.pop() + leaf), size >> 1
    peaks.append(leaf)


def root(peaks):
    node = peaks[-1] if peaks else sha(b"")
    for peak in reversed(peaks[:-1]):
        node = sha(b"\1" + peak + node)
    return node


def signed(note, key, name):  # c2sp.org/tlog-checkpoint, signed as c2sp.org/tlog-cosignature says
    body, line = note.split("\n\n", 1)
    origin, size, top = body.split("\n")
    if origin != name:
        return None
    _, by, blob = line.strip().split(" ")
    blob = base64.b64decode(blob)
    if by != name or blob[:4] != sha(name.encode() + b"\n\4" + key)[:4]:
        fail(f"a checkpoint of {size} records is by another key")
    message = f"cosignature/v1\ntime {int.from_bytes(blob[4:12], 'big')}\n{body}\n".encode()
    with tempfile.TemporaryDirectory() as folder:
        files = {"key": bytes.fromhex("302a300506032b6570032100") + key, "text": message, "signature": blob[12:]}
        for file, content in files.items():
            with open(os.path.join(folder, file), "wb") as out:
                out.write(content)
        command = "openssl pkeyutl -verify -pubin -keyform DER -inkey key -rawin -in text -sigfile signature"
        if subprocess.run(command.split(), cwd=folder, capture_output=True).returncode:
            fail(f"the signature of the checkpoint of {size} records")
    return int(size), base64.b64decode(top)


export, fingerprint = sys.argv[1:3]
lines = open(export, "rb").read().split(b"\n")[:-1]
head = json.loads(lines[0])
name, _, key = head["key"].split("+", 2)
key = base64.b64decode(key)[1:]
if sha(key).hex() != fingerprint:
    fail("the export names another key")
peaks, roots, previous, checked = [], {0: sha(b"")}, "0" * 64, 0
for number, line in enumerate(lines[1:], 2):
    value = json.loads(line)
    if canonical(value) != line:
        fail(f"line {number} is not canonical")
    size = len(roots) - 1
    if "checkpoint" in value:
        found = signed(value["checkpoint"], key, name)
        if found and found != (size, roots[size]):
            fail(f"line {number}: the checkpoint does not fit the first {size} records")
        checked += found is not None
        continue
    record, who = value["record"], value["operator"]
    leaf = sha(b"\0" + canonical(record))
    if record["sequence"] != str(size + 1) or record["previous"] != previous or leaf.hex() != value["hash"]:
        fail(f"record {size + 1} in line {number} is changed, missing or out of order")
    if who:
        blinding = bytes.fromhex(who.pop("blinding"))
        if sha(blinding + canonical(who)).hex() != record["operator"]:
            fail(f"record {size + 1}: who did it was changed")
    append(peaks, size, leaf)
    previous = leaf.hex()
    roots[size + 1] = root(peaks)
size, last = len(roots) - 1, 0
if str(size) != head["records"]:
    fail(f"there are {size} records, and the head says {head['records']}")
if len(sys.argv) > 3:
    for note in filter(None, open(sys.argv[3]).read().replace("\n\n\u2014", "\0").split("\n\n")):
        found = signed(note.replace("\0", "\n\n\u2014"), key, name)
        if not found:
            continue
        if found[0] > size:
            fail(f"records up to {found[0]} are missing at the end")
        if found[0] < last or found[1] != roots[found[0]]:
            fail(f"the checkpoint outside of {found[0]} records is of another history")
        last, checked = found[0], checked + 1
print(f"verified: {size} records, {checked} checkpoints, root {roots[size].hex()}")
