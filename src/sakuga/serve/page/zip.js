/** Several files as one zip archive (PKWARE APPNOTE 6.3), uncompressed: pictures and videos do not get smaller. */

const UTF8 = 0x800; // the flag that names are in UTF-8
const DATE = 0x21; // 1 January 1980, the first day that the format knows
const LIMIT = 2 ** 32 - 1;

const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  for (let bit = 0; bit < 8; bit++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
  return n;
});

/** The archive of [{name, blob}] as a Blob. Throws a RangeError past 4 GiB. */
export async function zip(files) {
  const parts = [];
  const directory = [];
  let offset = 0;
  for (const { name, blob } of unique(files)) {
    const text = new TextEncoder().encode(name);
    const sum = crc32(new Uint8Array(await blob.arrayBuffer()));
    // Version 2.0, flags, no compression, time, date.
    const facts = [[20, 2], [UTF8, 2], [0, 2], [0, 2], [DATE, 2]];
    // Checksum, size as stored and as it was, lengths of the name and of the extra field.
    facts.push([sum, 4], [blob.size, 4], [blob.size, 4], [text.length, 2], [0, 2]);
    const header = pack([[0x04034b50, 4], ...facts]);
    // Length of the comment, disk, attributes inside and outside, place of the file.
    directory.push(pack([[0x02014b50, 4], [20, 2], ...facts, [0, 2], [0, 2], [0, 2], [0, 4], [offset, 4]]), text);
    parts.push(header, text, blob);
    offset += header.length + text.length + blob.size;
  }
  const length = directory.reduce((sum, part) => sum + part.length, 0);
  if (offset + length > LIMIT) throw new RangeError("Together they are too large for a zip: download them singly.");
  const count = files.length;
  const end = pack([[0x06054b50, 4], [0, 2], [0, 2], [count, 2], [count, 2], [length, 4], [offset, 4], [0, 2]]);
  return new Blob([...parts, ...directory, end], { type: "application/zip" });
}

/** Little-endian numbers, given as [value, bytes]. */
function pack(numbers) {
  const split = ([value, size]) => Array.from({ length: size }, (_, place) => (value / 2 ** (8 * place)) & 255);
  return Uint8Array.from(numbers.flatMap(split));
}

/** CRC-32 with the polynomial 0xEDB88320. */
export function crc32(data) {
  let sum = ~0;
  for (const byte of data) sum = TABLE[(sum ^ byte) & 255] ^ (sum >>> 8);
  return ~sum >>> 0;
}

function unique(files) {
  const taken = new Set();
  return files.map(({ name, blob }) => {
    let free = name;
    for (let n = 2; taken.has(free.toLowerCase()); n++) free = name.replace(/(\.[^.]*)?$/, ` (${n})$1`);
    taken.add(free.toLowerCase());
    return { name: free, blob };
  });
}
