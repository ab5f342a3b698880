"""A peer that speaks OpenFlow by os-ken's codec, which is not ours.

    with Session(switch.mgmt, 4) as of:
        of.add(of.match(eth_type=0x800), of.apply(of.output(2)))
        of.barrier()"""

import warnings

from os_ken.ofproto import ofproto_parser, ofproto_protocol

import peer
from peer import Peer

warnings.filterwarnings("ignore", module="os_ken")


class Session(Peer):
    def __init__(self, where, version):
        super().__init__(where)
        self.hello(version)
        self.desc = ofproto_protocol.ProtocolDesc(version)
        # os-ken parses what comes with it at hand.
        self.desc.id = 0
        self.ofp, self.parser = self.desc.ofproto, self.desc.ofproto_parser

    # --- Messages -----------------------------------------------------

    def encode(self, message):
        self.xid += 1
        message.set_xid(self.xid)
        message.serialize()
        return bytes(message.buf)

    def tell(self, *messages):
        """Sends them in one piece."""
        self.send_bytes(b"".join(map(self.encode, messages)))

    def next(self):
        """The next message as os-ken's object, None at the end."""
        said = self.receive()
        if said is None:
            return None
        data = said.body
        head = bytes([said.version, said.type]) + (8 + len(data)).to_bytes(
            2, "big") + said.xid.to_bytes(4, "big")
        return ofproto_parser.msg(self.desc, said.version, said.type,
                                  8 + len(data), said.xid, head + data)

    def await_type(self, kind):
        """The next message of that type, past others but errors."""
        while True:
            said = self.next()
            assert said is not None, "the switch closed the connection"
            if said.msg_type == kind:
                return said
            assert said.msg_type != peer.ERROR, said

    def commit(self, *messages):
        """Sends them and a barrier; no error may come."""
        self.tell(*messages, self.parser.OFPBarrierRequest(self.desc))
        self.await_type(self.ofp.OFPT_BARRIER_REPLY)

    def refusal(self, message):
        """(type, code) of the error that it is answered with."""
        self.tell(message, self.parser.OFPBarrierRequest(self.desc))
        said = self.next()
        assert said.msg_type == peer.ERROR, said
        assert self.next().msg_type == self.ofp.OFPT_BARRIER_REPLY
        return said.type, said.code

    # --- What messages are made of ------------------------------------

    def match(self, **fields):
        return self.parser.OFPMatch(**fields)

    def output(self, port, max_len=0xffff):
        return self.parser.OFPActionOutput(port, max_len)

    def apply(self, *actions):
        return self.parser.OFPInstructionActions(
            self.ofp.OFPIT_APPLY_ACTIONS, list(actions))

    def write(self, *actions):
        return self.parser.OFPInstructionActions(
            self.ofp.OFPIT_WRITE_ACTIONS, list(actions))

    def goto(self, table):
        return self.parser.OFPInstructionGotoTable(table)

    def flow_mod(self, match=None, *instructions, command=None, **fields):
        """Adds, unless the command is another."""
        if command is None:
            command = self.ofp.OFPFC_ADD
        return self.parser.OFPFlowMod(
            self.desc, match=match or self.match(), command=command,
            instructions=list(instructions),
            **dict({"out_port": self.ofp.OFPP_ANY,
                    "out_group": self.ofp.OFPG_ANY}, **fields))

    def delete_all(self):
        """Empty tables, no groups, no meters."""
        return (self.flow_mod(command=self.ofp.OFPFC_DELETE,
                              table_id=self.ofp.OFPTT_ALL),
                self.parser.OFPGroupMod(
                    self.desc, self.ofp.OFPGC_DELETE, self.ofp.OFPGT_ALL,
                    self.ofp.OFPG_ALL, **self.no_buckets()),
                self.parser.OFPMeterMod(
                    self.desc, self.ofp.OFPMC_DELETE, 0,
                    self.ofp.OFPM_ALL))

    def no_buckets(self):
        if self.version < 6:
            return {"buckets": []}
        return {"command_bucket_id": self.ofp.OFPG_BUCKET_ALL,
                "buckets": [], "properties": []}

    def group_mod(self, number, kind, buckets, command=None):
        """`buckets` are lists of actions, with a weight of one each in a
        group that selects."""
        if command is None:
            command = self.ofp.OFPGC_ADD
        weight = int(kind == self.ofp.OFPGT_SELECT)
        if self.version < 6:
            made = [self.parser.OFPBucket(weight, self.ofp.OFPP_ANY,
                                          self.ofp.OFPG_ANY, list(actions))
                    for actions in buckets]
            more = {}
        else:
            made = [self.parser.OFPBucket(n, list(actions), [
                self.parser.OFPGroupBucketPropWeight(
                    type_=self.ofp.OFPGBPT_WEIGHT, weight=1, length=8)]
                if weight else [])
                for n, actions in enumerate(buckets)]
            more = {"command_bucket_id": self.ofp.OFPG_BUCKET_ALL,
                    "properties": []}
        return self.parser.OFPGroupMod(self.desc, command, kind, number,
                                       buckets=made, **more)

    def meter_mod(self, number, rate, command=None):
        """In packets a second, dropping what exceeds it."""
        if command is None:
            command = self.ofp.OFPMC_ADD
        return self.parser.OFPMeterMod(
            self.desc, command, self.ofp.OFPMF_PKTPS, number,
            [self.parser.OFPMeterBandDrop(rate, 0)])
