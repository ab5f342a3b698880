"""A router of one interface a port.  It answers ARP and echo requests itself,
asks for stations that it does not know, and writes an entry for each that it
does; packets whose TTL runs out come here and are answered."""

import json

from os_ken.lib.packet import arp, ethernet, icmp, ipv4, packet
from os_ken.ofproto import ether, inet

from base import OF15, VERSION, App, say, setting

ROUTER_MAC = "02:00:00:00:ff:%02x"
TIME_EXCEEDED = 11


def frame(*layers):
    pkt = packet.Packet()
    for layer in layers:
        pkt.add_protocol(layer)
    pkt.serialize()
    return pkt.data


class Router(App):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        # {port: (its MAC, its address, the network's first three bytes)}
        self.interfaces = {
            int(port): (ROUTER_MAC % int(port), address,
                        address.rpartition(".")[0] + ".")
            for port, address in json.loads(setting("interfaces")).items()}
        self.waiting = {}               # {address: [packet-in]}

    def on_switch(self, dp):
        self.ask_for_expired(dp)
        self.add_flow(dp, 1, {"eth_type": ether.ETH_TYPE_ARP},
                      [self.output(dp, dp.ofproto.OFPP_CONTROLLER)])
        self.add_flow(dp, 1, {"eth_type": ether.ETH_TYPE_IP},
                      [self.output(dp, dp.ofproto.OFPP_CONTROLLER)])
        self.barrier(dp)

    def ask_for_expired(self, dp):
        """By itself no controller is told of them."""
        parser, ofproto = dp.ofproto_parser, dp.ofproto
        if VERSION == OF15:
            dp.send_msg(parser.OFPSetAsync(dp, [
                parser.OFPAsyncConfigPropReasons(
                    ofproto.OFPACPT_PACKET_IN_MASTER, mask=7)]))
        else:
            dp.send_msg(parser.OFPSetAsync(dp, [7, 0], [7, 0], [15, 0]))

    def on_packet(self, dp, in_port, pkt, msg):
        mac, address, _net = self.interfaces[in_port]
        ip = pkt.get_protocol(ipv4.ipv4)
        asked = pkt.get_protocol(arp.arp)
        if asked:
            if asked.opcode == arp.ARP_REQUEST and asked.dst_ip == address:
                self.answer_arp(dp, in_port, asked)
            if asked.src_ip.startswith(self.interfaces[in_port][2]):
                self.know(dp, in_port, asked.src_ip, asked.src_mac)
        elif ip and msg.reason == dp.ofproto.OFPR_INVALID_TTL:
            say("expired", src=ip.src, dst=ip.dst)
            self.answer_expired(dp, in_port, pkt, msg.data)
        elif ip and ip.dst == address:
            self.answer_echo(dp, in_port, pkt)
        elif ip:
            self.ask_for(dp, ip.dst, msg)

    def answer_arp(self, dp, port, asked):
        mac, address, _net = self.interfaces[port]
        self.send(dp, frame(
            ethernet.ethernet(asked.src_mac, mac, ether.ETH_TYPE_ARP),
            arp.arp(opcode=arp.ARP_REPLY, src_mac=mac, src_ip=address,
                    dst_mac=asked.src_mac, dst_ip=asked.src_ip)),
            [self.output(dp, port)])

    def answer_echo(self, dp, port, pkt):
        eth, ip = (pkt.get_protocol(p) for p in (ethernet.ethernet,
                                                 ipv4.ipv4))
        echo = pkt.get_protocol(icmp.icmp)
        if echo and echo.type == icmp.ICMP_ECHO_REQUEST:
            self.send(dp, frame(
                ethernet.ethernet(eth.src, eth.dst, ether.ETH_TYPE_IP),
                ipv4.ipv4(src=ip.dst, dst=ip.src, proto=inet.IPPROTO_ICMP),
                icmp.icmp(type_=icmp.ICMP_ECHO_REPLY, data=echo.data)),
                [self.output(dp, port)])

    def answer_expired(self, dp, port, pkt, data):
        mac, address, _net = self.interfaces[port]
        eth, ip = (pkt.get_protocol(p) for p in (ethernet.ethernet,
                                                 ipv4.ipv4))
        begin = bytes(data[14:14 + ip.header_length * 4 + 8])
        self.send(dp, frame(
            ethernet.ethernet(eth.src, mac, ether.ETH_TYPE_IP),
            ipv4.ipv4(src=address, dst=ip.src, proto=inet.IPPROTO_ICMP),
            icmp.icmp(type_=TIME_EXCEEDED,
                      data=icmp.TimeExceeded(data=begin))),
            [self.output(dp, port)])

    def ask_for(self, dp, address, msg):
        for port, (mac, own, net) in self.interfaces.items():
            if address.startswith(net):
                self.waiting.setdefault(address, []).append(msg)
                self.send(dp, frame(
                    ethernet.ethernet("ff:ff:ff:ff:ff:ff", mac,
                                      ether.ETH_TYPE_ARP),
                    arp.arp(src_mac=mac, src_ip=own, dst_ip=address)),
                    [self.output(dp, port)])
                return
        say("unreachable", dst=address)

    def know(self, dp, port, address, mac):
        parser = dp.ofproto_parser
        self.add_flow(dp, 10, {"eth_type": ether.ETH_TYPE_IP,
                               "ipv4_dst": address}, [
            parser.OFPActionDecNwTtl(),
            parser.OFPActionSetField(eth_src=self.interfaces[port][0]),
            parser.OFPActionSetField(eth_dst=mac),
            self.output(dp, port)])
        self.barrier(dp)
        for msg in self.waiting.pop(address, []):
            self.send(dp, msg.data,
                      [self.output(dp, dp.ofproto.OFPP_TABLE)],
                      msg.match["in_port"])
        say("station", address=address, mac=mac)
