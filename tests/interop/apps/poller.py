"""Asks for statistics again and again, and says what it is told."""

from os_ken.controller import ofp_event
from os_ken.controller.handler import MAIN_DISPATCHER, set_ev_cls
from os_ken.lib import hub

from base import OF10, OF15, VERSION, App, say

PERIOD = 0.1


def oxs(stats):
    """1.5 says statistics as it says matches."""
    return stats.stats if VERSION == OF15 else {
        "packet_count": stats.packet_count, "byte_count": stats.byte_count}


class Poller(App):
    def on_switch(self, dp):
        for in_port, port in ((1, 2), (2, 1)):
            self.add_flow(dp, 5, {"in_port": in_port},
                          [self.output(dp, port)], cookie=in_port)
        hub.spawn(self.poll, dp)

    def poll(self, dp):
        while True:
            for request in self.requests(dp):
                dp.send_msg(request)
            hub.sleep(PERIOD)

    def requests(self, dp):
        parser, ofproto = dp.ofproto_parser, dp.ofproto
        if VERSION == OF10:
            match = parser.OFPMatch()
            return [parser.OFPFlowStatsRequest(dp, 0, match, 0xff,
                                               ofproto.OFPP_NONE),
                    parser.OFPAggregateStatsRequest(dp, 0, match, 0xff,
                                                    ofproto.OFPP_NONE),
                    parser.OFPTableStatsRequest(dp, 0),
                    parser.OFPPortStatsRequest(dp, 0, ofproto.OFPP_NONE),
                    parser.OFPDescStatsRequest(dp, 0)]
        return [parser.OFPFlowDescStatsRequest(dp) if VERSION == OF15
                else parser.OFPFlowStatsRequest(dp),
                parser.OFPAggregateStatsRequest(
                    dp, 0, ofproto.OFPTT_ALL, ofproto.OFPP_ANY,
                    ofproto.OFPG_ANY, 0, 0, parser.OFPMatch()),
                parser.OFPTableStatsRequest(dp, 0),
                parser.OFPPortStatsRequest(dp, 0, ofproto.OFPP_ANY),
                parser.OFPDescStatsRequest(dp, 0)]

    def say_flows(self, ev):
        for flow in ev.msg.body:
            say("flow", cookie=flow.cookie, packets=oxs(flow)["packet_count"],
                bytes=oxs(flow)["byte_count"])

    @set_ev_cls(ofp_event.EventOFPFlowStatsReply, MAIN_DISPATCHER)
    def _on_flows(self, ev):
        self.say_flows(ev)

    if VERSION == OF15:
        @set_ev_cls(ofp_event.EventOFPFlowDescStatsReply, MAIN_DISPATCHER)
        def _on_flow_descs(self, ev):
            self.say_flows(ev)

    @set_ev_cls(ofp_event.EventOFPAggregateStatsReply, MAIN_DISPATCHER)
    def _on_sum(self, ev):
        body = ev.msg.body
        body = body[0] if isinstance(body, list) else body
        counted = oxs(body)
        say("sum", packets=counted["packet_count"],
            bytes=counted["byte_count"],
            flows=counted["flow_count"] if VERSION == OF15
            else body.flow_count)

    @set_ev_cls(ofp_event.EventOFPTableStatsReply, MAIN_DISPATCHER)
    def _on_tables(self, ev):
        first = next(t for t in ev.msg.body if t.table_id == 0)
        say("table", active=first.active_count, lookups=first.lookup_count,
            matched=first.matched_count)

    @set_ev_cls(ofp_event.EventOFPPortStatsReply, MAIN_DISPATCHER)
    def _on_ports(self, ev):
        for port in ev.msg.body:
            say("port", port=port.port_no, rx=port.rx_packets,
                tx=port.tx_packets, rx_bytes=port.rx_bytes,
                tx_bytes=port.tx_bytes)

    @set_ev_cls(ofp_event.EventOFPDescStatsReply, MAIN_DISPATCHER)
    def _on_desc(self, ev):
        say("desc", maker=ev.msg.body.mfr_desc.decode().rstrip("\0"))
