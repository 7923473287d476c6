// Reading zip archives in the browser (APPNOTE 6.3, sections 4.3 and 4.4), without those above 4 GiB and encrypted ones.

const END = 0x06054b50;
const ENTRY = 0x02014b50;
const LOCAL = 0x04034b50;
const LONGEST_END = 22 + 65535;
const STORED = 0;
const DEFLATED = 8;
const ENCRYPTED = 1;
const text = new TextDecoder();

/** The files of an archive: {name, size, read()}, the last of which gives a Blob. Raises Error for what is no archive. */
export async function entries(archive) {
  const end = await endRecord(archive);
  const count = end.getUint16(10, true);
  const directory = new DataView(await part(archive, end.getUint32(16, true), end.getUint32(12, true)));
  const found = [];
  for (let at = 0, index = 0; index < count; index += 1) {
    if (at + 46 > directory.byteLength || directory.getUint32(at, true) !== ENTRY) throw damaged();
    const field = (offset) => directory.getUint16(at + offset, true);
    const long = (offset) => directory.getUint32(at + offset, true);
    const name = text.decode(new Uint8Array(directory.buffer, at + 46, field(28)));
    const one = { flags: field(8), method: field(10), packed: long(20), size: long(24), at: long(42) };
    if (one.method === STORED && one.packed !== one.size) throw damaged();
    if (!name.endsWith("/")) found.push({ name, size: one.size, read: () => content(archive, name, one) });
    at += 46 + field(28) + field(30) + field(32);
  }
  return found;
}

async function endRecord(archive) {
  const from = Math.max(0, archive.size - LONGEST_END);
  const tail = new DataView(await part(archive, from, archive.size - from));
  for (let at = tail.byteLength - 22; at >= 0; at -= 1)
    if (tail.getUint32(at, true) === END) return new DataView(tail.buffer, at);
  throw new Error("This is no zip archive.");
}

async function content(archive, name, { flags, method, packed, size, at }) {
  if (flags & ENCRYPTED) throw new Error(`${name} is encrypted.`);
  const head = new DataView(await part(archive, at, 30));
  if (head.getUint32(0, true) !== LOCAL) throw damaged();
  const from = at + 30 + head.getUint16(26, true) + head.getUint16(28, true);
  const blob = archive.slice(from, from + packed);
  if (method === STORED) return blob;
  if (method !== DEFLATED) throw new Error(`${name} is packed in a way that browsers can't unpack (method ${method}).`);
  return new Response(blob.stream().pipeThrough(new DecompressionStream("deflate-raw")).pipeThrough(upTo(size, name))).blob();
}

/** Nobody's archive unpacks to more than it says. */
function upTo(size, name) {
  let seen = 0;
  return new TransformStream({
    transform(chunk, controller) {
      seen += chunk.byteLength;
      if (seen > size) throw new Error(`${name} is larger than the archive says.`);
      controller.enqueue(chunk);
    },
  });
}

async function part(archive, from, length) {
  if (from + length > archive.size) throw damaged();
  return archive.slice(from, from + length).arrayBuffer();
}

function damaged() {
  return new Error("This zip archive is damaged.");
}
