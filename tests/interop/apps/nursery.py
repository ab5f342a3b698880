"""Starts applications: os-ken is imported once, and each application is a fork
of this process.  (A second and more of a processor's time for each otherwise.)

Reads orders, a JSON object a line: "netns" is the namespace's file, "env" and
"arguments" are the application's, "out" and "err" files for what it says.
Answers each with a process id.  Ends with its input."""

import ctypes
import json
import os
import signal
import sys
import traceback

from os_ken.cmd import manager

CLONE_NEWNET = 0x40000000


def become(order):
    libc = ctypes.CDLL(None, use_errno=True)
    fd = os.open(order["netns"], os.O_RDONLY)
    if libc.setns(fd, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")
    for name, number in (("out", 1), ("err", 2)):
        os.dup2(os.open(order[name], os.O_WRONLY | os.O_CREAT | os.O_TRUNC),
                number)
    os.environ.update(order["env"])
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    manager.main(args=order["arguments"], prog="osken-manager")


def main():
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)   # Nobody waits for them.
    for line in sys.stdin:
        pid = os.fork()
        if not pid:
            try:
                become(json.loads(line))
            except BaseException:
                traceback.print_exc()
            os._exit(1)
        print(pid, flush=True)


main()
