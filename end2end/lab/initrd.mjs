// A RAM disk that does what an installer does first (network up, fetch the preseed), in 1.5 MB instead of 40:
// Debian's busybox and the network drivers of Debian's installer. The kernel stays Debian's own, untouched.
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync, gzipSync } from "node:zlib";
import { pack, unpack } from "./cpio.mjs";

const INSTALLER = "/usr/lib/debian-installer/images/12/amd64/text/debian-installer/amd64";
const APPLETS = ["sh", "mount", "insmod", "ip", "udhcpc", "wget", "cat", "sleep", "poweroff"];
// In the order in which they must be loaded.
const MODULES = ["failover", "net_failover", "virtio", "virtio_ring", "virtio_pci_modern_dev", "virtio_pci_legacy_dev", "virtio_pci", "virtio_net"];
const DIRECTORY = 0o040755;
const PROGRAM = 0o100755;
const LINK = 0o120777;

/** Debian's installer kernel as its package has it. */
export const KERNEL = join(INSTALLER, "linux");

/** The RAM disk as bytes. */
export function buildInitrd() {
  const here = join(dirname(fileURLToPath(import.meta.url)), "initrd");
  const busybox = readFileSync("/bin/busybox");
  if (busybox.includes("/lib64/ld-linux")) throw new Error("/bin/busybox needs shared libraries: install busybox-static");
  const moduleOf = (path) => /\/([^/]+)\.ko$/.exec(path)?.[1];
  const installer = unpack(gunzipSync(readFileSync(join(INSTALLER, "initrd.gz"))), (path) => MODULES.includes(moduleOf(path)));
  const modules = new Map([...installer].map(([path, content]) => [moduleOf(path), content]));
  const entries = [
    ...["bin", "dev", "proc", "sys", "etc", "modules", "tmp"].map((name) => ({ name, mode: DIRECTORY })),
    { name: "init", mode: PROGRAM, content: readFileSync(join(here, "init.sh")) },
    { name: "etc/udhcpc.sh", mode: PROGRAM, content: readFileSync(join(here, "udhcpc.sh")) },
    { name: "bin/busybox", mode: PROGRAM, content: busybox },
    ...APPLETS.map((name) => ({ name: `bin/${name}`, mode: LINK, content: "busybox" })),
    // What this kernel has built in is not among them.
    ...MODULES.filter((name) => modules.has(name)).map((name, index) => ({
      name: `modules/${String(index).padStart(2, "0")}-${name}.ko`,
      mode: 0o100644,
      content: modules.get(name),
    })),
  ];
  return gzipSync(pack(entries), { level: 6 });
}
