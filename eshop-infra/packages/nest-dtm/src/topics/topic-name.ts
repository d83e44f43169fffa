import { DtmInvalidOption } from '../errors.js';

/** A key of DTM's store that also stands in an URL. */
const TOPIC = /^[A-Za-z0-9_.-]{1,128}$/;

/** Throws {@link DtmInvalidOption} unless DTM can keep the name. */
export function assertTopic(name: string, field: string): void {
  if (!TOPIC.test(name)) throw new DtmInvalidOption(field, `must be 1 to 128 of A-Z a-z 0-9 _ . -, is "${name}"`);
}
