"""Open vSwitch with DPDK, and DPDK's own testpmd: ports without devices, one
core at 100 %."""

import os
import re
import struct
import subprocess
import time

from bench import output
from networks import Ovs, eventually

CORE, POLLING_CORE = 0, 1
OVS_PAGES, TESTPMD_PAGES = 512, 256         # Of 2 MiB.
FRAME_LEN = 60                              # 64 with the checksum.


def udp_frame(i, length):
    """Of UDP flow i, which is found by its addresses."""
    header = struct.pack("!BBHHHBBHII", 0x45, 0, length - 14, 0, 0, 64, 17, 0,
                         0x0a000000 + (i >> 8), 0x0a800001)
    total = sum(struct.unpack("!10H", header))
    total = (total & 0xffff) + (total >> 16)
    frame = (bytes.fromhex("0200000000020200000000010800") + header[:10]
             + struct.pack("!H", ~(total + (total >> 16)) & 0xffff)
             + header[12:]
             + struct.pack("!HHHH", 1024 + i % 256, 1024, length - 34, 0))
    return frame.ljust(length, b"\0")


def write_capture(path, frames):
    with open(path, "wb") as f:
        f.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
        for frame in frames:
            f.write(struct.pack("<IIII", 0, 0, len(frame), len(frame))
                    + frame)


def write_flows(path, n):
    """A capture file of n UDP flows."""
    write_capture(path, (udp_frame(i, FRAME_LEN) for i in range(n)))


class OvsDpdk(Ovs):
    """Two ports: `source` makes packets without end, the other counts."""
    DAEMON = "/usr/lib/openvswitch-switch-dpdk/ovs-vswitchd-dpdk"
    SINK = "net_null1,size=64,no-rx=1"
    MEGABYTES = 1024

    def __init__(self, label, huge_dir, source, flow):
        super().__init__(label, "dpdk", n_containers=0, **{
            "dpdk-init": "true",
            "dpdk-lcore-mask": hex(1 << CORE),
            "pmd-cpu-mask": hex(1 << POLLING_CORE),
            "dpdk-socket-mem": str(self.MEGABYTES),
            "dpdk-socket-limit": str(self.MEGABYTES),
            "dpdk-hugepage-dir": huge_dir,
            "dpdk-extra": '"--no-pci --no-telemetry --file-prefix=%s"'
                          % label.replace(" ", "-"),
            "emc-insert-inv-prob": "1",
        })
        self.source = source
        self.flow = flow

    def plug(self):
        self.start_daemons()
        self.ofctl("add-flow", self.flow)
        self.add_ports("br0", "br0")

    def add_ports(self, *bridges):
        """Of the source, and of the sink."""
        for i, devargs in enumerate((self.source, self.SINK)):
            self.vsctl("add-port", bridges[i], "p%d" % i, "--", "set",
                       "interface", "p%d" % i, "type=dpdk",
                       "ofport_request=%d" % (i + 1),
                       "options:dpdk-devargs=\"%s\"" % devargs)
        error = self.vsctl("--bare", "--columns=error", "list", "interface",
                           "p0", "p1").strip()
        if error:
            raise RuntimeError("Open vSwitch: " + error)
        eventually(lambda: self.per_packet(0.1)[0] > 0.01,
                   "OVS-DPDK forwards")
        time.sleep(3)           # Until every flow has its cache entry.

    def per_packet(self, seconds):
        """(Mpps, TSC cycles a packet) of the polling core."""
        self.appctl("dpif-netdev/pmd-stats-clear")
        start = time.monotonic()
        time.sleep(seconds)
        took = time.monotonic() - start
        said = self.appctl("dpif-netdev/pmd-stats-show")
        packets = int(re.search(r"packets received: (\d+)", said)[1])
        cycles = re.search(r"avg processing cycles per packet: ([0-9.]+)",
                           said)
        return packets / took / 1e6, float(cycles[1]) if cycles else 0.0


def testpmd(huge_dir, seconds):
    """Mpps that testpmd moves from null port to null port and back: packets
    received and sent, and nothing in between."""
    script = subprocess.Popen(
        ("sh", "-c", "sleep 1; echo 'set fwd io'; echo start; sleep 0.5;"
         " echo 'show port stats all'; sleep %s; echo 'show port stats all';"
         " echo stop; echo quit" % seconds), stdout=subprocess.PIPE)
    try:
        said = subprocess.run(
            ("dpdk-testpmd", "--no-pci", "--huge-dir", huge_dir,
             "--file-prefix", "testpmd", "--no-telemetry", "-l",
             "%d,%d" % (CORE, POLLING_CORE), "-m", "256", "--vdev",
             "net_null0,size=64", "--vdev", "net_null1,size=64", "--", "-i",
             "--nb-cores=1", "--total-num-mbufs=16384", "--no-mlockall"),
            stdin=script.stdout, text=True, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, timeout=seconds + 30).stdout
    finally:
        script.kill()
        script.wait()
    rates = [int(n) for n in re.findall(r"Tx-pps:\s+(\d+)", said)]
    if len(rates) < 4:
        raise RuntimeError("testpmd: " + said[-1500:])
    return sum(rates[-2:]) / 1e6


def available():
    return os.path.exists(OvsDpdk.DAEMON) and output(
        "sh", "-c", "command -v dpdk-testpmd || true").strip()
