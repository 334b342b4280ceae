// The lab's own network: a bridge with one port per machine, and dnsmasq for DHCP and nothing else.
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Child } from "../lib/child.mjs";

/** Where the server answers on the machines' network. */
export const SERVER = "10.77.0.1";

const ip = (...words) => execFileSync("ip", words, { encoding: "utf8" });

/** Refuses to work in a network that holds more than a loopback interface: it is not the lab's own. */
export function assertOwnNamespace() {
  const others = JSON.parse(ip("-json", "link", "show")).filter(({ ifname }) => ifname !== "lo");
  const strangers = others.filter(({ link_type: type }) => !["tunnel", "sit", "ipip", "gre", "tunnel6"].includes(type));
  if (strangers.length > 0) throw new Error(`not in a network namespace of its own (${strangers.map((l) => l.ifname)}): use cargo xtask lab`);
}

/** Bridge `br0` with the server's address, and the named taps as its ports. */
export function createNetwork(taps) {
  ip("link", "set", "lo", "up");
  ip("link", "add", "br0", "type", "bridge", "forward_delay", "0");
  ip("addr", "add", `${SERVER}/16`, "dev", "br0");
  // dnsmasq advertises only a prefix that the bridge has an address of.
  ip("-6", "addr", "add", "fd77::1/64", "dev", "br0", "nodad");
  ip("link", "set", "br0", "up");
  // A port that is always up: without a carrier the bridge has no link-local address to advertise from. Its far end
  // must have ARP off, or it answers for the server's address as well.
  ip("link", "add", "veth0", "type", "veth", "peer", "name", "veth1");
  ip("link", "set", "veth0", "master", "br0", "up");
  ip("link", "set", "veth1", "arp", "off", "up");
  for (const tap of taps) {
    ip("tuntap", "add", "dev", tap, "mode", "tap");
    ip("link", "set", tap, "master", "br0", "up");
  }
}

/**
 * dnsmasq with DHCP only. `boot` says which file each kind of firmware is told to ask the server for:
 * `{ bios, uefi }`.
 */
export async function startDhcp(folder, boot) {
  const file = join(folder, "dnsmasq.conf");
  writeFileSync(
    file,
    `# DHCP only: no DNS, no TFTP
port=0
interface=br0
bind-dynamic
no-daemon
user=root
group=root
log-facility=-
log-dhcp
dhcp-authoritative
no-ping
dhcp-range=10.77.1.1,10.77.1.254,255.255.0.0,1h
dhcp-leasefile=${join(folder, "leases")}
dhcp-match=set:bios,option:client-arch,0
dhcp-match=set:uefi,option:client-arch,7
dhcp-match=set:uefi,option:client-arch,9
dhcp-boot=tag:bios,${boot.bios},,${SERVER}
dhcp-boot=tag:uefi,${boot.uefi},,${SERVER}
# iPXE's ROM of 2019 waits 16 s for an IPv6 address unless a router answers it
enable-ra
dhcp-range=fd77::,ra-only,64,1h
ra-param=br0,high,60,0
`,
  );
  const dnsmasq = new Child("lab-dnsmasq", "dnsmasq", [`--conf-file=${file}`]);
  await dnsmasq.line(/DHCP, IP range/, 10);
  return dnsmasq;
}
