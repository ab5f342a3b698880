"""What the applications share: one way to write flow entries and packet-outs
in any version, and saying to the test what was seen.

The version is the only one that the application offers (OF_VERSION)."""

import json
import os

from os_ken.base import app_manager
from os_ken.controller import ofp_event
from os_ken.controller.handler import (CONFIG_DISPATCHER, MAIN_DISPATCHER,
                                       set_ev_cls)
from os_ken.lib import mac
from os_ken.lib.packet import packet

VERSION = int(os.environ["OF_VERSION"])
OF10, OF15 = 1, 6

# OXM's names as 1.0 calls them, and how its codec wants the value.
MATCH10 = {
    "in_port": ("in_port", int), "eth_type": ("dl_type", int),
    "eth_src": ("dl_src", mac.haddr_to_bin),
    "eth_dst": ("dl_dst", mac.haddr_to_bin),
    "ip_proto": ("nw_proto", int),
    "tcp_dst": ("tp_dst", int), "icmpv4_type": ("tp_src", int),
}


def say(event, **fields):
    print(json.dumps(dict(fields, event=event)), flush=True)


class App(app_manager.OSKenApp):
    OFP_VERSIONS = [VERSION]

    @set_ev_cls(ofp_event.EventOFPSwitchFeatures, CONFIG_DISPATCHER)
    def _on_features(self, ev):
        dp = ev.msg.datapath
        say("switch", dpid=dp.id, version=dp.ofproto.OFP_VERSION,
            n_tables=ev.msg.n_tables)
        self.on_switch(dp)

    @set_ev_cls(ofp_event.EventOFPPacketIn, MAIN_DISPATCHER)
    def _on_packet_in(self, ev):
        self.take_packet(ev.msg)

    @set_ev_cls(ofp_event.EventOFPErrorMsg,
                [CONFIG_DISPATCHER, MAIN_DISPATCHER])
    def _on_error(self, ev):
        say("error", type=ev.msg.type, code=ev.msg.code)

    def take_packet(self, msg):
        in_port = msg.in_port if VERSION == OF10 else msg.match["in_port"]
        self.on_packet(msg.datapath, in_port, packet.Packet(msg.data),
                       msg)

    def on_switch(self, dp):
        """A switch has come; its tables are as it left them."""

    def on_packet(self, dp, in_port, pkt, msg):
        """A packet-in; `pkt` is what os-ken's parser makes of it."""

    # --- Saying what is wanted ----------------------------------------

    def output(self, dp, port, max_len=0xffff):
        return dp.ofproto_parser.OFPActionOutput(port, max_len)

    def add_flow(self, dp, priority, match, actions, goto=None, **mod):
        parser, ofproto = dp.ofproto_parser, dp.ofproto
        if VERSION == OF10:
            fields = {MATCH10[name][0]: MATCH10[name][1](value)
                      for name, value in match.items()}
            dp.send_msg(parser.OFPFlowMod(
                datapath=dp, match=parser.OFPMatch(**fields),
                command=ofproto.OFPFC_ADD, priority=priority,
                actions=actions, **dict({"cookie": 0}, **mod)))
            return
        instructions = []
        if actions:
            instructions.append(parser.OFPInstructionActions(
                ofproto.OFPIT_APPLY_ACTIONS, actions))
        if goto is not None:
            instructions.append(parser.OFPInstructionGotoTable(goto))
        dp.send_msg(parser.OFPFlowMod(
            datapath=dp, match=parser.OFPMatch(**match), priority=priority,
            instructions=instructions, **mod))

    def delete_flows(self, dp, match):
        parser, ofproto = dp.ofproto_parser, dp.ofproto
        dp.send_msg(parser.OFPFlowMod(
            datapath=dp, match=parser.OFPMatch(**match),
            command=ofproto.OFPFC_DELETE, table_id=ofproto.OFPTT_ALL,
            out_port=ofproto.OFPP_ANY, out_group=ofproto.OFPG_ANY))

    def send_unmatched_here(self, dp):
        """From 1.3 on the controller must ask for what no entry matches."""
        if VERSION != OF10:
            self.add_flow(dp, 0, {}, [self.output(
                dp, dp.ofproto.OFPP_CONTROLLER)])

    def send(self, dp, data, actions, in_port=None):
        parser, ofproto = dp.ofproto_parser, dp.ofproto
        if in_port is None:
            in_port = ofproto.OFPP_CONTROLLER
        kwargs = {"in_port": in_port}
        if VERSION == OF15:
            kwargs = {"match": parser.OFPMatch(in_port=in_port)}
        dp.send_msg(parser.OFPPacketOut(
            datapath=dp, buffer_id=ofproto.OFP_NO_BUFFER, data=data,
            actions=actions, **kwargs))

    def barrier(self, dp):
        dp.send_msg(dp.ofproto_parser.OFPBarrierRequest(dp))

    @set_ev_cls(ofp_event.EventOFPBarrierReply, MAIN_DISPATCHER)
    def _on_barrier(self, ev):
        say("barrier", xid=ev.msg.xid)


def setting(name, default=None):
    """What the test said for this application."""
    return os.environ.get(name.upper(), default)

