"""Learning switches whose loops os-ken's spanning tree library opens."""

from os_ken.controller.handler import MAIN_DISPATCHER, set_ev_cls
from os_ken.lib import hub, mac, stplib
from os_ken.lib.packet import bpdu, ethernet

from base import OF10, VERSION, App, say

STATES = {stplib.PORT_STATE_DISABLE: "disable",
          stplib.PORT_STATE_BLOCK: "block",
          stplib.PORT_STATE_LISTEN: "listen",
          stplib.PORT_STATE_LEARN: "learn",
          stplib.PORT_STATE_FORWARD: "forward"}
# Seconds; whole 256ths, as they travel.  A hop adds one to the age.
TIMES = {"max_age": 4, "hello_time": 0.125, "fwd_delay": 0.5}


def stop_once(thread):
    """The library's own lets two that stop a thread trip over each other."""
    stopped, thread.thread = thread.thread, None
    if stopped is not None:
        hub.kill(stopped)
        hub.joinall([stopped])


stplib.PortThread.stop = stop_once
# Its BPDUs know whole seconds only.
bpdu.ConfigurationBPDUs._encode_timer = staticmethod(
    lambda seconds: int(seconds * 256))
# And a timer that runs out just when its port is blocked finds no next state.
next_state = stplib.Port._get_next_state
stplib.Port._get_next_state = lambda port: next_state(port) or port.state


class SpanningTree(App):
    _CONTEXTS = {"stplib": stplib.Stp}
    _on_packet_in = None                # The library's.

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.stations = {}
        kwargs["stplib"].set_config({
            dpid: {"bridge": dict(TIMES, priority=0x1000 * dpid)}
            for dpid in (1, 2)})

    def on_switch(self, dp):
        self.send_unmatched_here(dp)

    @set_ev_cls(stplib.EventPortStateChange, MAIN_DISPATCHER)
    def _on_port(self, ev):
        say("port", dpid=ev.dp.id, port=ev.port_no,
            state=STATES[ev.port_state])

    @set_ev_cls(stplib.EventTopologyChange, MAIN_DISPATCHER)
    def _on_change(self, ev):
        say("change", dpid=ev.dp.id)
        for (dpid, station), _port in list(self.stations.items()):
            if dpid == ev.dp.id:
                self.forget(ev.dp, station)
                del self.stations[dpid, station]

    def forget(self, dp, station):
        if VERSION == OF10:
            parser, ofproto = dp.ofproto_parser, dp.ofproto
            dp.send_msg(parser.OFPFlowMod(
                datapath=dp, match=parser.OFPMatch(
                    dl_dst=mac.haddr_to_bin(station)), cookie=0,
                command=ofproto.OFPFC_DELETE))
        else:
            self.delete_flows(dp, {"eth_dst": station})

    @set_ev_cls(stplib.EventPacketIn, MAIN_DISPATCHER)
    def _on_other_packet(self, ev):
        self.take_packet(ev.msg)

    def on_packet(self, dp, in_port, pkt, msg):
        eth = pkt.get_protocol(ethernet.ethernet)
        self.stations[dp.id, eth.src] = in_port
        port = self.stations.get((dp.id, eth.dst))
        if port is None:
            actions = [self.output(dp, dp.ofproto.OFPP_FLOOD)]
        else:
            actions = [self.output(dp, port)]
            self.add_flow(dp, 10, {"in_port": in_port, "eth_dst": eth.dst},
                          actions)
        self.send(dp, msg.data, actions, in_port)
