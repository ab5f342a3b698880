"""Random flows and groups in flow text, over the whole of what a switch takes.

    texts = FlowTexts(seed, version)        # 10, 13, 14 or 15
    texts.flow()                            # "table=3,priority=7,tcp,..."
    texts.group(4)                          # "group_id=4,type=select,..."

What is written is valid in the version: a packet is decided on first, then
what can be matched and done to such a packet."""

import ipaddress
import random

# What a packet is: its word, what the word brings, and what else can be matched.
KINDS = {
    "": [], "ip": ["ip"], "tcp": ["ip", "tcp"], "udp": ["ip", "udp"],
    "sctp": ["ip", "sctp"], "icmp": ["ip", "icmp"],
    "ipv6": ["ipv6"], "tcp6": ["ipv6", "tcp"], "udp6": ["ipv6", "udp"],
    "sctp6": ["ipv6", "sctp"], "icmp6": ["ipv6", "icmp6"],
    "icmp6,icmp_type=135,icmp_code=0": ["ipv6", "nd", "ns"],
    "icmp6,icmp_type=136,icmp_code=0": ["ipv6", "nd", "na"],
    "arp": ["arp"], "rarp": ["arp"], "mpls": ["mpls"], "mplsm": ["mpls"],
    "dl_type=0x88cc": [],
}

# name: (bits, how it is written, may be masked, may be written)
FIELDS = {
    "": {
        "dl_src": (48, "eth", True, True), "dl_dst": (48, "eth", True, True),
        "metadata": (64, "hex", True, True),
        "tun_id": (64, "hex", True, True),
        "tun_src": (32, "ip", True, True), "tun_dst": (32, "ip", True, True),
        "tun_gbp_id": (16, "dec", True, True),
        "tun_gbp_flags": (8, "hex", True, True),
        "pkt_mark": (32, "hex", True, True),
        "conj_id": (32, "dec", False, False),
        **{"reg%d" % n: (32, "hex", True, True) for n in range(16)},
    },
    "ip": {
        "nw_src": (32, "ip", True, True), "nw_dst": (32, "ip", True, True),
        "nw_ecn": (2, "dec", False, True), "nw_ttl": (8, "dec", False, True),
    },
    "ipv6": {
        "ipv6_src": (128, "ip6", True, True),
        "ipv6_dst": (128, "ip6", True, True),
        "ipv6_label": (20, "hex", True, True),
        "nw_ecn": (2, "dec", False, True), "nw_ttl": (8, "dec", False, True),
    },
    "tcp": {"tcp_src": (16, "dec", True, True),
            "tcp_dst": (16, "dec", True, True)},
    "udp": {"udp_src": (16, "dec", True, True),
            "udp_dst": (16, "dec", True, True)},
    "sctp": {"sctp_src": (16, "dec", True, True),
             "sctp_dst": (16, "dec", True, True)},
    "icmp": {"icmp_type": (8, "dec", False, True),
             "icmp_code": (8, "dec", False, True)},
    "icmp6": {"icmpv6_type": (8, "dec", False, False),
              "icmpv6_code": (8, "dec", False, False)},
    "nd": {"nd_target": (128, "ip6", True, True)},
    "ns": {"nd_sll": (48, "eth", True, True)},
    "na": {"nd_tll": (48, "eth", True, True)},
    "arp": {"arp_spa": (32, "ip", True, True),
            "arp_tpa": (32, "ip", True, True),
            "arp_sha": (48, "eth", True, True),
            "arp_tha": (48, "eth", True, True),
            "arp_op": (8, "dec", False, True)},
    "mpls": {"mpls_label": (20, "dec", False, True),
             "mpls_tc": (3, "dec", False, True)},
}
CT_FLAGS = ["new", "est", "rel", "rpl", "inv", "trk", "snat", "dnat"]
TCP_FLAGS = ["fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr", "ns"]


class FlowTexts:
    def __init__(self, seed, version, ports=(1, 2), groups=(), meters=()):
        self.r = random.Random(seed)
        self.version = version
        self.ports, self.groups, self.meters = ports, groups, meters

    # --- Values -------------------------------------------------------

    def number(self, bits):
        """Small and big numbers alike."""
        value = self.r.getrandbits(bits)
        return value >> self.r.randrange(bits) if self.r.random() < .5 \
            else value

    @staticmethod
    def text(value, how):
        if how == "eth":
            return ":".join("%02x" % b for b in value.to_bytes(6, "big"))
        if how == "ip":
            return ".".join(str(b) for b in value.to_bytes(4, "big"))
        if how == "ip6":
            return str(ipaddress.IPv6Address(value))
        return hex(value) if how == "hex" else str(value)

    def value(self, field, masks=True):
        bits, how, may_mask, _ = field
        value = self.number(bits)
        if not (masks and may_mask and self.r.random() < .4):
            return self.text(value, how)
        if how in ("ip", "ip6") and self.r.random() < .6:
            prefix = self.r.randint(1, bits)
            value &= (1 << bits) - (1 << bits - prefix)
            return "%s/%d" % (self.text(value, how), prefix)
        # ovs-ofctl has room for 64 characters of address and mask.
        mask = self.r.getrandbits(min(bits, 64)) or 1
        return "%s/%s" % (self.text(value & mask, how),
                          self.text(mask, "hex" if how == "dec" else how))

    def flags(self, names):
        some = self.r.sample(names, self.r.randint(1, len(names)))
        return "".join(self.r.choice("+-") + name for name in some)

    # --- Matches ------------------------------------------------------

    def fields(self, kind):
        """All fields that such packets have."""
        found = dict(FIELDS[""])
        for part in KINDS[kind]:
            found.update(FIELDS[part])
        return found

    def vlan(self):
        """A match on the tag, and whether there is one."""
        vid = self.number(12)
        return self.r.choice([
            ("dl_vlan=%d" % vid, True),
            ("dl_vlan=%d,dl_vlan_pcp=%d" % (vid, self.number(3)), True),
            ("dl_vlan_pcp=%d" % self.number(3), True),
            ("vlan_tci=0x1%03x/0x1fff" % vid, True),
            ("vlan_tci=0x1000/0x1000", True),
            ("vlan_tci=0", False), ("dl_vlan=0xffff", False)])

    def connection(self, parts):
        state = self.flags([f for f in CT_FLAGS if f not in ("trk", "inv")])
        items = ["ct_state=+trk-inv" + state]
        more = ["ct_zone=%d" % self.number(16),
                "ct_mark=" + self.value((32, "hex", True, True)),
                "ct_label=" + self.value((128, "hex", True, True))]
        if "ip" in parts:
            more += ["ct_nw_src=" + self.value(FIELDS["ip"]["nw_src"]),
                     "ct_nw_dst=" + self.value(FIELDS["ip"]["nw_dst"]),
                     "ct_nw_proto=6,ct_tp_src=%d" % self.number(16)]
        if "ipv6" in parts:
            more += ["ct_ipv6_src=" + self.value(FIELDS["ipv6"]["ipv6_src"]),
                     "ct_ipv6_dst=" + self.value(FIELDS["ipv6"]["ipv6_dst"]),
                     "ct_nw_proto=17,ct_tp_dst=%d" % self.number(16)]
        return items + self.r.sample(more, self.r.randint(0, 2))

    def match(self, kind):
        """Items, and whether packets have a tag."""
        parts, items, tagged = KINDS[kind], [], False
        names = self.fields(kind)
        if self.r.random() < .3:
            items.append("in_port=%s" % self.r.choice(
                [*map(str, self.ports), "LOCAL", "IN_PORT", "77"]))
        if self.r.random() < .3:
            text, tagged = self.vlan()
            items.append(text)
        if kind:
            items.append(kind)
        for name in self.r.sample(sorted(names),
                                  min(len(names), self.r.randint(0, 4))):
            items.append("%s=%s" % (name, self.value(names[name])))
        if ("ip" in parts or "ipv6" in parts) and self.r.random() < .2:
            items.append("nw_tos=%d" % (self.number(6) << 2))
        if parts and parts[-1] in ("ip", "ipv6") and self.r.random() < .4:
            items.append(self.r.choice([
                "nw_frag=" + self.r.choice(["no", "yes", "first", "later",
                                            "not_later"]),
                "nw_proto=%d" % self.r.choice([0, 2, 47, 255])]))
        if "tcp" in parts and self.r.random() < .3:
            items.append("tcp_flags=" + self.flags(TCP_FLAGS))
        if ("ip" in parts or "ipv6" in parts) and self.r.random() < .3:
            items += self.connection(parts)
        if "mpls" in parts and self.r.random() < .3:
            items.append("mpls_bos=%d" % self.number(1))
        if self.version == 15 and self.r.random() < .05:
            items.append("actset_output=%d" % self.ports[0])
        return items, tagged

    # --- Actions ------------------------------------------------------

    def subfield(self, names, n_bits=None):
        """A field of at least so many bits, and so many of them."""
        fit = [n for n in names if n != "arp_op"
               and (not n_bits or names[n][0] >= n_bits)]
        name = self.r.choice(sorted(fit))
        bits = names[name][0]
        n_bits = n_bits or self.r.randint(1, bits)
        first = self.r.randint(0, bits - n_bits)
        if n_bits == bits and self.r.random() < .7:
            return name + "[]", n_bits
        return "%s[%d..%d]" % (name, first, first + n_bits - 1), n_bits

    def output(self):
        port = self.r.choice(self.ports)
        return self.r.choice([
            "output:%d" % port, str(port), "in_port", "normal", "flood",
            "all", "local", "output:reg%d[0..15]" % self.number(3),
            "output(port=%d,max_len=%d)" % (port, 14 + self.number(10))])

    def controller(self):
        args = ["max_len=%d" % self.number(16), "id=%d" % self.number(16),
                "userdata=" + ".".join("%02x" % self.number(8) for _ in
                                       range(self.r.randint(1, 20))),
                "pause", "meter_id=%d" % (1 + self.number(16)),
                "reason=" + self.r.choice(["no_match", "action",
                                           "invalid_ttl", "action_set",
                                           "group", "packet_out"])]
        return self.r.choice([
            "controller", "controller:%d" % self.number(16),
            "controller(%s)" % ",".join(
                self.r.sample(args, self.r.randint(0, len(args))))])

    def set_field(self, names):
        # Of an arp_op, ovs-ofctl keeps 8 of its 16 bits.
        writable = {n: f for n, f in names.items() if f[3] and n != "arp_op"}
        name = self.r.choice(sorted(writable))
        bits, how, may_mask, _ = names[name]
        how = self.r.randrange(3)
        if self.r.random() < .05:
            return "set_field:%d->in_port" % self.r.choice(self.ports)
        if how == 0:
            return "set_field:%s->%s" % (self.value(names[name]), name)
        if how == 1:
            # 1.5 has no load: ovs-ofctl prints it as a set_field with a mask,
            # which it does not read back where the field cannot have one or
            # the address is long, and which is not the whole where bytes are
            # left.
            if self.version == 15 and (not may_mask or bits % 8
                                       or bits == 128):
                return "set_field:%s->%s" % (self.value(names[name]), name)
            sub, n = self.subfield({name: names[name]},
                                   self.r.randint(1, min(bits, 64)))
            return "load:%s->%s" % (hex(self.number(n)), sub)
        source, n = self.subfield(names)
        fit = {k: f for k, f in writable.items() if f[0] >= n}
        if not fit:
            return "move:reg0[0..3]->reg1[4..7]"
        return "move:%s->%s" % (source, self.subfield(fit, n)[0])

    def mods(self, parts, tagged):
        some = ["mod_dl_src:" + self.value(FIELDS[""]["dl_src"], False),
                "mod_dl_dst:" + self.value(FIELDS[""]["dl_dst"], False)]
        if tagged or self.version == 10:
            some += ["mod_vlan_vid:%d" % self.number(12),
                     "mod_vlan_pcp:%d" % self.number(3)]
        if tagged:
            some += ["strip_vlan", "pop_vlan"]
        if "ip" in parts:
            some += ["mod_nw_src:" + self.value(FIELDS["ip"]["nw_src"], False),
                     "mod_nw_dst:" + self.value(FIELDS["ip"]["nw_dst"], False)]
        if "ip" in parts or "ipv6" in parts:
            some += ["mod_nw_tos:%d" % (self.number(6) << 2),
                     "mod_nw_ecn:%d" % self.number(2),
                     "mod_nw_ttl:%d" % self.number(8), "dec_ttl",
                     "dec_ttl(%s)" % ",".join(
                         str(self.number(16)) for _ in
                         range(self.r.randint(1, 6)))]
        if {"tcp", "udp", "sctp"} & set(parts):
            some += ["mod_tp_src:%d" % self.number(16),
                     "mod_tp_dst:%d" % self.number(16)]
        if "mpls" in parts:
            some += ["dec_mpls_ttl", "set_mpls_ttl:%d" % self.number(8),
                     "set_mpls_label:%d" % self.number(20),
                     "set_mpls_tc:%d" % self.number(3)]
        return self.r.choice(some)

    def nat(self, parts):
        kind = self.r.choice(["src", "dst"])
        flags = self.r.sample(["persistent", self.r.choice(["hash",
                                                            "random"])],
                              self.r.randint(0, 2))
        if "ip" in parts:
            low, high = sorted(self.r.sample(range(1, 1 << 32), 2))
            texts = [self.text(n, "ip") for n in (low, high)]
        else:
            low, high = sorted(self.r.sample(range(1, 1 << 32), 2))
            texts = [self.text(n | 0xfd << 120, "ip6") for n in (low, high)]
        ports = sorted(1 + self.number(15) for _ in range(2))
        has_ports = self.r.random() < .5
        if has_ports and "ipv6" in parts:
            texts = ["[%s]" % text for text in texts]
        text = "-".join(texts[:self.r.randint(1, 2)])
        if has_ports:
            text += ":%d" % ports[0]
            if ports[0] < ports[1] and self.r.random() < .5:
                text += "-%d" % ports[1]
        return "nat(%s)" % ",".join(["%s=%s" % (kind, text)] + flags)

    def ct(self, parts):
        commit = self.r.random() < .6
        args = ["zone=%s" % self.r.choice(
                    [self.number(16), "reg%d[8..23]" % self.number(3)]),
                "table=%d" % self.r.randrange(255)]
        if commit:
            args += ["force", self.nat(parts),
                     "exec(%s)" % ",".join(
                         self.r.choice([
                             "set_field:%s->ct_mark" % self.value(
                                 (32, "hex", True, True)),
                             "set_field:%s->ct_label" % self.value(
                                 (128, "hex", True, True)),
                             "load:%d->ct_mark[4..11]" % self.number(8),
                             "move:reg0[]->ct_mark[]"])
                         for _ in range(self.r.randint(1, 3)))]
        else:
            args.append("nat")
        some = self.r.sample(args, self.r.randint(0, len(args)))
        return "ct(%s)" % ",".join((["commit"] if commit else []) + some)

    def learn(self, parts):
        spec = ["NXM_OF_VLAN_TCI[0..11]",
                "NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[]",
                "load:NXM_NX_REG0[0..15]->NXM_NX_REG1[16..31]",
                "load:%s->NXM_NX_REG2[]" % hex(self.number(32)),
                "output:NXM_OF_IN_PORT[]", "reg5=%d" % self.number(32)]
        args = ["idle_timeout=%d" % self.number(16),
                "hard_timeout=%d" % self.number(16),
                "priority=%d" % self.number(16),
                "cookie=%s" % hex(self.number(64)), "send_flow_rem",
                "delete_learned", "fin_idle_timeout=%d" % self.number(16),
                "limit=%d" % self.number(16)]
        some = self.r.sample(args, self.r.randint(0, len(args)))
        return "learn(%s)" % ",".join(
            ["table=%d" % self.r.randrange(255)] + some
            + self.r.sample(spec, self.r.randint(1, len(spec))))

    def choice_of_port(self):
        """multipath, bundle, bundle_load"""
        fields = self.r.choice(["eth_src", "symmetric_l4", "symmetric_l3l4",
                                "symmetric_l3l4+udp", "nw_src", "nw_dst"])
        basis = self.number(16)
        ports = "members:%s" % ",".join(
            str(self.r.randint(1, 9)) for _ in range(self.r.randint(1, 4)))
        algorithm = self.r.choice(["active_backup", "hrw"])
        return self.r.choice([
            "multipath(%s,%d,%s,%d,%d,NXM_NX_REG0[0..15])" % (
                fields, basis, self.r.choice(["modulo_n", "hash_threshold",
                                              "hrw", "iter_hash"]),
                1 + self.number(8), self.number(16)),
            "bundle(%s,%d,%s,ofport,%s)" % (fields, basis, algorithm, ports),
            "bundle_load(%s,%d,%s,ofport,reg3[0..15],%s)" % (
                fields, basis, algorithm, ports)])

    def odds(self, parts, names, depth):
        some = [
            "resubmit:%d" % self.ports[0],
            "resubmit(,%d)" % self.r.randrange(255),
            "resubmit(%d,%d)" % (self.ports[0], self.r.randrange(255)),
            "set_queue:%d" % self.number(32), "pop_queue",
            "push:" + self.subfield(names)[0],
            "pop:" + self.subfield({n: f for n, f in names.items()
                                    if f[3]})[0],
            "set_tunnel:%d" % self.number(32),
            "set_tunnel64:%d" % self.number(64), "exit", "ct_clear",
            "note:" + ".".join("%02x" % self.number(8) for _ in
                               range(self.r.randint(0, 20))),
            "check_pkt_larger(%d)->reg%d[%d]" % (
                self.number(16), self.number(3), self.number(5)),
            "sample(probability=%d,collector_set_id=%d,obs_domain_id=%d,"
            "obs_point_id=%d)" % (1 + self.number(15), self.number(32),
                                  self.number(32), self.number(32)),
            self.learn(parts), self.choice_of_port()]
        if "tcp" in parts:
            some.append("fin_timeout(idle_timeout=%d,hard_timeout=%d)" % (
                self.number(16), self.number(16)))
        if self.groups:
            some.append("group:%d" % self.r.choice(self.groups))
        if self.version == 10:
            some.append("enqueue:%d:%d" % (self.r.choice(self.ports),
                                           self.number(31)))
        return self.r.choice(some)

    def actions(self, kind, tagged, depth=0, n=5):
        parts, names = KINDS[kind], self.fields(kind)
        out = []
        for _ in range(self.r.randint(1, n)):
            pick = self.r.random()
            if pick < .2:
                out.append(self.output())
            elif pick < .28:
                out.append(self.controller())
            elif pick < .5:
                out.append(self.set_field(names))
            elif pick < .65:
                out.append(self.mods(parts, tagged))
                tagged = tagged and "vlan" not in out[-1][:10]
            elif pick < .72 and ("ip" in parts or "ipv6" in parts):
                out.append(self.ct(parts))
            elif pick < .76 and depth < 2:
                out.append("clone(%s)" % ",".join(
                    self.actions(kind, tagged, depth + 1, 3)))
            else:
                out.append(self.odds(parts, names, depth))
        return out

    def tail(self, kind, tagged):
        """Actions that change what the packet is come last."""
        pick = self.r.random()
        if self.version > 10 and pick < .1:
            return ["push_vlan:" + self.r.choice(["0x8100", "0x88a8"]),
                    "set_field:%d->vlan_vid" % (0x1000 | self.number(12)),
                    "output:%d" % self.ports[0]]
        if not tagged and pick < .2:
            return ["push_mpls:" + self.r.choice(["0x8847", "0x8848"]),
                    "set_mpls_label:%d" % self.number(20)]
        if "mpls" in KINDS[kind] and pick < .4:
            return ["pop_mpls:0x0800", "dec_ttl"]
        return []

    def instructions(self, table, kind, tagged):
        out = []
        if self.version >= 13 and self.meters and self.r.random() < .1:
            out.append("meter:%d" % self.r.choice(self.meters))
        out += self.actions(kind, tagged) + self.tail(kind, tagged)
        if self.version >= 13:
            if self.r.random() < .1:
                out.append("clear_actions")
            if self.r.random() < .2:
                out.append("write_actions(%s)" % ",".join(self.r.sample(
                    ["output:%d" % self.ports[0], "set_field:5->reg3",
                     "resubmit(,9)", "pop_vlan" if tagged
                     else "set_queue:4", "mod_dl_src:02:00:00:00:00:09"],
                    self.r.randint(1, 3))))
            if self.r.random() < .2:
                out.append("write_metadata:%s/%s" % (
                    hex(self.number(64)), hex(self.number(64) or 1)))
            if table < 254 and self.r.random() < .2:
                out.append("goto_table:%d" % self.r.randint(table + 1, 254))
        return out

    # --- Whole requests -----------------------------------------------

    def flow(self, cookie):
        kind = self.r.choice(sorted(KINDS))
        table = self.r.choice([0, self.r.randrange(255)])
        items, tagged = self.match(kind)
        if self.r.random() < .05:
            actions = ["drop"]
        elif self.r.random() < .06:
            n = self.r.randint(2, 64)
            actions = ["conjunction(%d,%d/%d)" % (
                self.number(32), self.r.randint(1, n), n)]
        else:
            actions = self.instructions(table, kind, tagged)
        options = ["idle_timeout=%d" % self.number(16),
                   "hard_timeout=%d" % self.number(16), "send_flow_rem"]
        if self.version >= 14:
            options.append("importance=%d" % self.number(16))
        if self.version >= 13:
            options += ["no_packet_counts", "no_byte_counts"]
        head = ["table=%d" % table, "priority=%d" % (cookie * 109 % 65536),
                "cookie=%s" % hex(cookie)]
        return ",".join(head + self.r.sample(options, self.r.randint(0, 2))
                        + items) + " actions=" + ",".join(actions)

    def group(self, number):
        kind = self.r.choice(["all", "select", "indirect", "ff"])
        head = ["group_id=%d" % number, "type=" + kind]
        if self.version == 15 and kind == "select" and self.r.random() < .6:
            head.append(self.r.choice([
                "selection_method=dp_hash",
                "selection_method=hash,fields(eth_dst,ip_src=255.255.0.0)",
                "selection_method=hash,selection_method_param=%d,"
                "fields(tcp_dst)" % self.number(64)]))
        buckets = []
        n = 1 if kind == "indirect" else self.r.randint(0, 4)
        for i in range(n):
            bucket = []
            if self.version == 15:
                bucket.append("bucket_id:%d" % i)
            if kind == "select":
                bucket.append("weight:%d" % self.number(16))
            if kind == "ff" or (kind == "select" and self.r.random() < .3):
                bucket.append("watch_port:%d" % self.r.choice(self.ports))
            buckets.append("bucket=" + ",".join(
                bucket + ["actions=" + ",".join(
                    [self.mods(["ip", "udp"], True), "ct(nat)",
                     "output:%d" % self.r.choice(self.ports)][
                         :self.r.randint(1, 3)])]))
        return ",".join(head + buckets)
