// The archive format of initial RAM disks: cpio "newc" (kernel: Documentation/driver-api/early-userspace/buffer-format.rst).

const HEADER = 110;
const pad4 = (length) => (4 - (length % 4)) % 4;

/** The regular files of an archive that `wanted(name)` asks for, as a Map from name to content. */
export function unpack(archive, wanted) {
  const files = new Map();
  for (let at = 0; at + HEADER <= archive.length; ) {
    const magic = archive.toString("latin1", at, at + 6);
    // Archives may follow one another with zeros between them.
    if (magic === "\0\0\0\0\0\0") {
      at += 4;
      continue;
    }
    if (magic !== "070701") throw new Error(`no cpio header at ${at}: ${JSON.stringify(magic)}`);
    const field = (index) => parseInt(archive.toString("latin1", at + 6 + 8 * index, at + 14 + 8 * index), 16);
    const [mode, size, nameSize] = [field(1), field(6), field(11)];
    const name = archive.toString("utf8", at + HEADER, at + HEADER + nameSize - 1);
    const start = at + HEADER + nameSize + pad4(HEADER + nameSize);
    if ((mode & 0o170000) === 0o100000 && wanted(name)) files.set(name, archive.subarray(start, start + size));
    at = start + size + pad4(size);
  }
  return files;
}

/** An archive of `{ name, mode, content }`; the mode holds the file type, a symbolic link's content is its target. */
export function pack(entries) {
  const parts = [];
  const add = (inode, name, mode, content) => {
    const bytes = Buffer.from(content);
    const nameBytes = Buffer.from(`${name}\0`);
    const numbers = [inode, mode, 0, 0, 1, 0, bytes.length, 0, 0, 0, 0, nameBytes.length, 0];
    const header = `070701${numbers.map((n) => n.toString(16).padStart(8, "0")).join("")}`;
    parts.push(Buffer.from(header), nameBytes, Buffer.alloc(pad4(HEADER + nameBytes.length)), bytes, Buffer.alloc(pad4(bytes.length)));
  };
  entries.forEach(({ name, mode, content = "" }, index) => add(index + 1, name, mode, content));
  add(0, "TRAILER!!!", 0, "");
  return Buffer.concat(parts);
}
