"""A firewall in two tables: table 0 lets through what the rules name and drops
the rest, table 1 is a learning switch."""

import json

from os_ken.lib.packet import ethernet
from os_ken.ofproto.ether import ETH_TYPE_ARP

from base import App, say, setting

ARP, ALLOWED, DENIED = 300, 200, 100


class Firewall(App):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.stations = {}
        # [{OXM field: value}]
        self.allowed = json.loads(setting("rules"))

    def on_switch(self, dp):
        self.add_flow(dp, ARP, {"eth_type": ETH_TYPE_ARP}, [], goto=1)
        for match in self.allowed:
            self.add_flow(dp, ALLOWED, match, [], goto=1)
        self.add_flow(dp, DENIED, {}, [], cookie=0xdead)
        self.add_flow(dp, 0, {}, [self.output(dp, dp.ofproto.OFPP_CONTROLLER)],
                      table_id=1)
        self.barrier(dp)

    def on_packet(self, dp, in_port, pkt, msg):
        eth = pkt.get_protocol(ethernet.ethernet)
        say("packet", table=msg.table_id, src=eth.src, dst=eth.dst)
        self.stations[eth.src] = in_port
        port = self.stations.get(eth.dst)
        if port is None:
            actions = [self.output(dp, dp.ofproto.OFPP_FLOOD)]
        else:
            actions = [self.output(dp, port)]
            self.add_flow(dp, 10, {"eth_dst": eth.dst, "in_port": in_port},
                          actions, table_id=1)
        self.send(dp, msg.data, actions, in_port)
