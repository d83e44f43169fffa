/** The reversed polynomial of Castagnoli. */
const POLYNOMIAL = 0x82f63b78;
const SLICES = 8;

// Whose indices are known to be right; a call of each is none once it is compiled.
const entry = (table: Int32Array, index: number) => table[index] as number;
const byteOf = (bytes: Uint8Array, index: number) => bytes[index] as number;

let tables: Int32Array | undefined;

/** Eight tables of 256: byte by byte takes four times as long. */
function makeTables(): Int32Array {
  const made = new Int32Array(SLICES * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? POLYNOMIAL : 0);
    made[byte] = crc;
  }
  for (let at = 256; at < made.length; at++) {
    const before = made[at - 256] as number;
    made[at] = (before >>> 8) ^ (made[before & 255] as number);
  }
  return made;
}

/** CRC-32C of the bytes from `start` on, which Kafka writes into each record batch; Node has CRC-32 only. */
export function crc32c(bytes: Uint8Array, start = 0): number {
  tables ??= makeTables();
  const table = tables;
  let crc = -1;
  let at = start;
  for (const end = bytes.length - SLICES; at <= end; at += SLICES) {
    const low =
      crc ^
      (byteOf(bytes, at) |
        (byteOf(bytes, at + 1) << 8) |
        (byteOf(bytes, at + 2) << 16) |
        (byteOf(bytes, at + 3) << 24));
    crc =
      entry(table, 1_792 + (low & 255)) ^
      entry(table, 1_536 + ((low >>> 8) & 255)) ^
      entry(table, 1_280 + ((low >>> 16) & 255)) ^
      entry(table, 1_024 + (low >>> 24)) ^
      entry(table, 768 + byteOf(bytes, at + 4)) ^
      entry(table, 512 + byteOf(bytes, at + 5)) ^
      entry(table, 256 + byteOf(bytes, at + 6)) ^
      entry(table, byteOf(bytes, at + 7));
  }
  for (; at < bytes.length; at++) crc = (crc >>> 8) ^ entry(table, (crc ^ byteOf(bytes, at)) & 255);
  return ~crc >>> 0;
}
