"""Huge pages, which DPDK's programs live in; they belong to the whole
machine, so who reserved some gives them back."""

import contextlib
import os
import subprocess
import tempfile

COUNT = "/proc/sys/vm/nr_hugepages"


class Unavailable(Exception):
    pass


def reserved():
    try:
        with open(COUNT) as f:
            return int(f.read())
    except OSError:
        return None


def reserve(n):
    if n is not None and n != reserved():
        with open(COUNT, "w") as f:
            f.write("%d\n" % n)


@contextlib.contextmanager
def mounted(n):
    """A directory of n pages more than there were."""
    before = reserved()
    if before is None:
        raise Unavailable("this kernel has no huge pages")
    reserve(before + n)
    path = tempfile.mkdtemp(prefix="huge-")
    try:
        if reserved() < before + n:
            raise Unavailable("only %d of %d huge pages could be had"
                              % (reserved() - before, n))
        subprocess.run(("mount", "-t", "hugetlbfs", "none", path), check=True)
        try:
            yield path
        finally:
            subprocess.run(("umount", path), check=False)
    finally:
        os.rmdir(path)
        reserve(before)
