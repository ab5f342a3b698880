"""Whatever flow text ovs-ofctl accepts comes back the same: random flows and
groups over the whole grammar, written by ovs-ofctl in each version, read back
by it and compared by it.

    of1 | of2      two taps on br0, which starts empty
"""

import re
import subprocess

import pytest

from conftest import Switch
from flow_texts import FlowTexts

VERSIONS = pytest.mark.parametrize("version", Switch.VERSIONS)
GROUPS, METERS = (1, 2), (1, 7)
N_FLOWS = 300


def number(version):
    return int(version[len("OpenFlow"):])


def texts(version, seed):
    n = number(version)
    return FlowTexts(seed, n, groups=GROUPS,
                     meters=METERS if n >= 13 else ())


def prepare(ofctl, version):
    for group in GROUPS:
        ofctl(version, "add-group",
              "group_id=%d,type=all,bucket=actions=output:1" % group)
    if number(version) >= 13:
        for meter in METERS:
            ofctl(version, "add-meter",
                  "meter=%d,kbps,band=type=drop,rate=100" % meter)


def parsed(version, path):
    """By cookie, how ovs-ofctl understands the flows of a file."""
    done = subprocess.run(["ovs-ofctl", "-O", version, "parse-flows", path],
                          text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE)
    assert not done.returncode, done.stderr
    found = {}
    for line in done.stdout.splitlines():
        cookie = re.search(r"cookie:(0x[0-9a-f]+)", line)
        if cookie:
            assert "ADD " in line, line
            # Table 0 is not written, and so not said; 1.0 keeps a flow's
            # flags to itself.
            line = line[line.index("ADD ") + 4:].replace("table:255 ", "")
            found[cookie.group(1)] = line if version != "OpenFlow10" \
                else line.replace(" send_flow_rem", "")
    return found


@VERSIONS
def test_any_flow_comes_back(lab, ofctl, version):
    written, read = lab.dir + "/written", lab.dir + "/read"
    make = texts(version, 1)
    with open(written, "w") as f:
        for i in range(N_FLOWS):
            f.write(make.flow(i + 1) + "\n")
    prepare(ofctl, version)
    ofctl(version, "add-flows", written)
    said = ofctl(version, "dump-flows", "--no-stats")
    with open(read, "w") as f:
        f.writelines(line.strip() + "\n" for line in said.splitlines()
                     if "actions=" in line)
    before, after = parsed(version, written), parsed(version, read)
    different = ["%s\n  became %s" % (before[cookie], after.get(cookie))
                 for cookie in before if before[cookie] != after.get(cookie)]
    assert not different, "%d of %d:\n%s" % (
        len(different), len(before), "\n".join(different[:20]))


@VERSIONS
def test_any_group_comes_back(ofctl, version):
    make = texts(version, 1)
    for i in range(25):
        text = make.group(i + 1)
        before = subprocess.run(
            ["ovs-ofctl", "-O", version, "parse-group", text], text=True,
            check=True, stdout=subprocess.PIPE).stdout
        ofctl(version, "add-group", text)
        said = ofctl(version, "dump-groups")
        after = [line.strip() for line in said.splitlines()
                 if "group_id=%d," % (i + 1) in line]
        assert after == [re.search(r"group_id=.*", before).group().strip()]


@pytest.mark.parametrize("version", Switch.VERSIONS[1:])
def test_any_meter_comes_back(ofctl, version):
    make = texts(version, 3)
    for i in range(15):
        number = i + 1
        burst = make.r.random() < .5
        flags = [make.r.choice(["kbps", "pktps"])] \
            + ["burst"] * burst + ["stats"] * make.r.randint(0, 1)
        bands = []
        for _ in range(make.r.randint(1, 4)):
            kind = make.r.choice(["drop", "dscp_remark"])
            band = "type=%s rate=%d" % (kind, 1 + make.number(31))
            if burst:
                band += " burst_size=%d" % (1 + make.number(31))
            if kind == "dscp_remark":
                band += " prec_level=%d" % make.r.randint(1, 3)
            bands.append(band)
        ofctl(version, "add-meter", "meter=%d,%s,bands=%s" % (
            number, ",".join(flags), ",".join(bands).replace(" ", ",")))
        said = ofctl(version, "dump-meter", "meter=%d" % number)
        lines = [line.strip() for line in said.splitlines()[1:] if line]
        assert lines == ["meter=%d %s bands=" % (number, " ".join(flags))] \
            + bands
