#!/usr/bin/python3
"""Test VMs: a real guest kernel with a real virtio-net, under QEMU.

    vm.py start DIR IFNAME ADDR/LEN [--mac MAC] [--mtu N] [--vlan VID]
    vm.py run DIR COMMAND           output and status of a command inside
    vm.py console DIR               a shell in it (leave with ctrl-])
    vm.py stop DIR

IFNAME is a TAP that exists; DIR keeps the VM's sockets and its boot log.  The
kernel and initramfs come from tests/vm/mkvm.  The machine is emulated (TCG),
so that it runs wherever the tests run."""

import argparse
import os
import select
import signal
import socket
import subprocess
import sys
import termios
import time
import tty

HERE = os.path.dirname(os.path.realpath(__file__))
IMAGES = os.path.join(HERE, "..", "..", "build", "vm")
BOOT_TIMEOUT = 60


class VmError(Exception):
    pass


class Vm:
    """A guest.  Its files are in 'dir', so that another process can use it."""

    def __init__(self, dir):
        self.dir = dir
        self._agent = None

    def path(self, name):
        return os.path.join(self.dir, name)

    def start(self, ifname, addr, mac="02:00:00:00:77:01", mtu=None,
              vlan=None, netns=None, images=IMAGES, options="vhost=off"):
        """Boots; returns once the guest's agent answers."""
        os.makedirs(self.dir, exist_ok=True)
        append = "console=ttyS0 quiet loglevel=3 panic=-1 weft.addr=" + addr
        if mtu:
            append += " weft.mtu=%d" % mtu
        if vlan:
            append += " weft.vlan=%d" % vlan
        argv = [
            "qemu-system-x86_64", "-machine", "q35", "-accel", "tcg",
            "-cpu", "max", "-m", "128", "-nodefaults", "-no-user-config",
            "-display", "none", "-no-reboot",
            "-kernel", os.path.join(images, "vmlinuz"),
            "-initrd", os.path.join(images, "initrd.gz"),
            "-append", append,
            "-netdev", "tap,id=n0,ifname=%s,script=no,downscript=no,%s"
            % (ifname, options),
            "-device", "virtio-net-pci,netdev=n0,romfile=,mac=" + mac,
            "-chardev", "socket,id=tty,server=on,wait=off,path=%s,logfile=%s"
            % (self.path("console"), self.path("boot.log")),
            "-chardev", "socket,id=agent,server=on,wait=off,path="
            + self.path("agent"),
            "-serial", "chardev:tty", "-serial", "chardev:agent",
        ]
        if netns:
            argv = ["ip", "netns", "exec", netns] + argv
        for name in ("console", "agent", "boot.log"):
            if os.path.exists(self.path(name)):
                os.unlink(self.path(name))
        with open(self.path("qemu.log"), "w") as log:
            qemu = subprocess.Popen(argv, stdin=subprocess.DEVNULL,
                                    stdout=log, stderr=log,
                                    start_new_session=True)
        with open(self.path("pid"), "w") as f:
            f.write("%d\n" % qemu.pid)
        try:
            self._connect(time.monotonic() + BOOT_TIMEOUT, qemu)
        except Exception:
            qemu.kill()
            qemu.wait()
            raise
        return qemu

    def _said(self):
        text = ""
        for name in ("qemu.log", "boot.log"):
            try:
                with open(self.path(name), errors="replace") as f:
                    text += f.read()
            except OSError:
                pass
        return text.strip()

    def _connect(self, deadline, qemu=None):
        """Connects to the agent; a guest that boots announces itself."""
        while True:
            sock = socket.socket(socket.AF_UNIX)
            try:
                sock.connect(self.path("agent"))
                break
            except OSError as e:
                sock.close()
                if qemu and qemu.poll() is not None:
                    raise VmError("qemu ended: " + self._said()) from e
                if not qemu or time.monotonic() > deadline:
                    raise VmError("no VM in %s: %s"
                                  % (self.dir, e.strerror)) from e
                time.sleep(0.02)
        self._agent = sock
        if qemu:
            self._reply(deadline)

    def _reply(self, deadline):
        """Returns what came before the guest's '\\x04STATUS' line."""
        data = b""
        while True:
            head, mark, tail = data.partition(b"\x04")
            if mark and tail.endswith(b"\n"):
                return head.decode(errors="replace"), tail.strip().decode()
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self._agent], [], [], left)[0]:
                raise VmError("the VM does not answer: " + self._said())
            more = self._agent.recv(65536)
            if not more:
                raise VmError("the VM ended: " + self._said())
            data += more

    def run(self, command, timeout=60):
        """Runs a shell command inside; returns (status, output)."""
        if "\n" in command:
            raise ValueError("one line")
        deadline = time.monotonic() + timeout
        if not self._agent:
            self._connect(deadline)
        self._agent.sendall(command.encode() + b"\n")
        output, status = self._reply(deadline)
        return int(status), output.replace("\r\n", "\n")

    def stop(self):
        if self._agent:
            self._agent.close()
            self._agent = None
        try:
            with open(self.path("pid")) as f:
                pid = int(f.read())
            os.unlink(self.path("pid"))
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        except (OSError, ValueError):
            pass                # Gone already, or another process's child.

    def console(self):
        """Joins our terminal to the guest's."""
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(self.path("console"))
        print("(ctrl-] leaves)")
        old = termios.tcgetattr(0)
        tty.setraw(0)
        try:
            sock.sendall(b"\n")
            while True:
                for fd in select.select([0, sock], [], [])[0]:
                    data = os.read(0, 1024) if fd == 0 else sock.recv(4096)
                    if not data or (fd == 0 and b"\x1d" in data):
                        return
                    if fd == 0:
                        sock.sendall(data)
                    else:
                        os.write(1, data)
        finally:
            termios.tcsetattr(0, termios.TCSADRAIN, old)
            print()


def main():
    parser = argparse.ArgumentParser(description="Test VMs.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    start = verbs.add_parser("start")
    start.add_argument("dir")
    start.add_argument("ifname")
    start.add_argument("addr")
    start.add_argument("--mac", default="02:00:00:00:77:01")
    start.add_argument("--mtu", type=int)
    start.add_argument("--vlan", type=int)
    run = verbs.add_parser("run")
    run.add_argument("dir")
    run.add_argument("command", nargs="+")
    for name in ("console", "stop"):
        verbs.add_parser(name).add_argument("dir")
    args = parser.parse_args()

    vm = Vm(args.dir)
    try:
        if args.verb == "start":
            vm.start(args.ifname, args.addr, args.mac, args.mtu, args.vlan)
        elif args.verb == "run":
            status, output = vm.run(" ".join(args.command))
            sys.stdout.write(output)
            return status
        else:
            getattr(vm, args.verb)()
    except VmError as e:
        print("vm: %s" % e, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
