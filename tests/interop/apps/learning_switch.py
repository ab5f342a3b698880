"""A switch that learns: what is not known yet comes here and is flooded, then
goes by an entry for the pair of stations."""

from os_ken.lib.packet import ethernet

from base import App, say


class LearningSwitch(App):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.stations = {}              # {(switch, MAC): port}

    def on_switch(self, dp):
        self.send_unmatched_here(dp)

    def on_packet(self, dp, in_port, pkt, msg):
        eth = pkt.get_protocol(ethernet.ethernet)
        self.stations[dp.id, eth.src] = in_port
        port = self.stations.get((dp.id, eth.dst))
        say("packet", src=eth.src, dst=eth.dst, in_port=in_port)
        if port is None:
            actions = [self.output(dp, dp.ofproto.OFPP_FLOOD)]
        else:
            actions = [self.output(dp, port)]
            self.add_flow(dp, 10, {"in_port": in_port, "eth_src": eth.src,
                                   "eth_dst": eth.dst}, actions)
        self.send(dp, msg.data, actions, in_port)
