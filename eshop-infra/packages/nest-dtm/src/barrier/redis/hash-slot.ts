import { DtmError } from '../../errors.js';

/** Keys of one script lie in different hash slots: a Redis Cluster would refuse it, and a single server would only until then. */
export class DtmCrossSlot extends DtmError {
  /** The keys, the barrier's first. */
  readonly keys: readonly string[];

  constructor(keys: readonly string[], options: { gid?: string } = {}) {
    super(
      'DTM_CROSS_SLOT',
      `keys of several hash slots in one script: ${keys.join(', ')}. Put the hash tag of the business keys into the gid, ` +
        'or use `keyOf` or `hashTag`',
      options,
    );
    this.keys = keys;
  }
}

/** Throws {@link DtmCrossSlot} unless a Redis Cluster would find all keys on one node. */
export function assertOneSlot(keys: readonly string[], prefix: string, gid?: string): void {
  const tags = new Set(keys.map((key) => hashTag(prefix + key)));
  if (tags.size > 1 && new Set([...tags].map(slotOf)).size > 1) throw new DtmCrossSlot(keys, { gid });
}

/** The part of a key that decides its slot: what stands between the first `{` and the next `}`, unless that is empty. */
function hashTag(key: string): string {
  const open = key.indexOf('{');
  const close = key.indexOf('}', open + 1);
  return open < 0 || close <= open + 1 ? key : key.slice(open + 1, close);
}

/** CRC-16/XMODEM modulo 16384 (Redis Cluster specification). */
function slotOf(tag: string): number {
  let crc = 0;
  for (const byte of Buffer.from(tag)) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? ((crc << 1) ^ 0x1021) & 0xffff : (crc << 1) & 0xffff;
  }
  return crc % 16384;
}
