// Reading tar archives in the browser, member by member, without holding them: a Blob is read where it lies.

const BLOCK = 512;
const MOST_NAME = 65536;
const FILES = new Set(["0", "\0", "7"]);
const text = new TextDecoder();

/** The regular files of an archive: {name, size, blob}. Raises Error for what is no archive. */
export async function* members(archive) {
  let given = "";
  for (let at = 0; at + BLOCK <= archive.size;) {
    const header = new Uint8Array(await archive.slice(at, at + BLOCK).arrayBuffer());
    if (header.every((byte) => byte === 0)) return;
    checkSum(header);
    const size = number(header, 124, 12);
    const type = String.fromCharCode(header[156]);
    const body = archive.slice(at + BLOCK, at + BLOCK + size);
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
    if (type === "L" || type === "x") {
      if (size > MOST_NAME) throw new Error("The archive has a name that is too long.");
      const told = text.decode(await body.arrayBuffer());
      given = type === "L" ? told.replace(/\0+$/, "") : (paxPath(told) ?? given);
      continue;
    }
    const name = given || plainName(header);
    given = "";
    if (FILES.has(type)) yield { name: name.replace(/^\.\//, ""), size, blob: body };
  }
}

/** The archive itself where it is compressed by gzip. */
export async function uncompressed(file, most) {
  const start = new Uint8Array(await file.slice(0, 2).arrayBuffer());
  if (start[0] !== 0x1f || start[1] !== 0x8b) return file;
  let seen = 0;
  const limit = new TransformStream({
    transform(chunk, controller) {
      seen += chunk.byteLength;
      if (seen > most) throw new Error("The archive is too large for the console; use zpm deploy.");
      controller.enqueue(chunk);
    },
  });
  return new Response(file.stream().pipeThrough(new DecompressionStream("gzip")).pipeThrough(limit)).blob();
}

function plainName(header) {
  const [name, magic, prefix] = [string(header, 0, 100), string(header, 257, 5), string(header, 345, 155)];
  return magic === "ustar" && prefix ? `${prefix}/${name}` : name;
}

function string(bytes, from, length) {
  const end = bytes.subarray(from, from + length).indexOf(0);
  return text.decode(bytes.subarray(from, from + (end < 0 ? length : end)));
}

function number(bytes, from, length) {
  if (bytes[from] & 0x80) return bytes.subarray(from + 1, from + length).reduce((value, byte) => value * 256 + byte, 0);
  return parseInt(string(bytes, from, length).trim() || "0", 8);
}

function checkSum(header) {
  const sum = header.reduce((total, byte, index) => total + (index >= 148 && index < 156 ? 32 : byte), 0);
  if (sum !== number(header, 148, 8)) throw new Error("This is no tar archive, or a damaged one.");
}

/** The path in a pax header: records of "LENGTH KEY=VALUE\n". */
function paxPath(records) {
  return /(?:^|\n)\d+ path=([^\n]*)\n/.exec(records)?.[1];
}
