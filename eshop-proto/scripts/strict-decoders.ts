import { readFileSync, writeFileSync } from 'node:fs';

/** How a decoder of ts-proto 2.18 ends: at a tag without a field number, or a group's end, it takes the message for complete. */
const LENIENT =
  /if \(\(tag & 7\) === 4 \|\| tag === 0\) \{\s*break;\s*\}\s*reader\.skip\(tag & 7\);\s*\}\s*return message;/g;
const STRICT = `if (tag >>> 3 === 0) throw new globalThis.Error("a tag without a field number");
        reader.skip(tag & 7, tag >>> 3);
      }
      if (reader.pos !== end) throw new globalThis.Error("a message ends elsewhere than it says");
      return message;`;

/**
 * Makes the decoders in a file that ts-proto wrote refuse bytes that are no such message, as protobuf's other implementations do;
 * else the rest of a message is left out, or taken for fields of the message around it.
 * @throws Error when the decoders are not those that this knows
 */
export function makeDecodersStrict(file: string): void {
  const text = readFileSync(file, 'utf8');
  const decoders = text.match(/^ {2}decode\(input.* \{$/gm)?.length ?? 0;
  const known = text.match(LENIENT)?.length ?? 0;
  if (known !== decoders)
    throw new Error(`${file}: ${decoders} decoders, ${known} of them as ts-proto 2.18 writes them`);
  writeFileSync(file, text.replaceAll(LENIENT, STRICT));
}
