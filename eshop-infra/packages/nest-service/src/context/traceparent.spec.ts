import { describe, expect, test } from '@jest/globals';
import { readTraceparent } from './traceparent.js';

const ID = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';
const known = `00-${ID}-${PARENT}-01`;

describe('traceparent', () => {
  test.each([
    ['sampled', known, known],
    ['not sampled', `00-${ID}-${PARENT}-00`, `00-${ID}-${PARENT}-00`],
    ['with a random trace id', `00-${ID}-${PARENT}-03`, `00-${ID}-${PARENT}-03`],
    ['with flags that nobody knows', `00-${ID}-${PARENT}-ff`, `00-${ID}-${PARENT}-03`],
    ['of a later version', `01-${ID}-${PARENT}-01`, known],
    ['of the last version, with more behind', `fe-${ID}-${PARENT}-01-what-comes`, known],
    ['of a later version, with a dash behind', `01-${ID}-${PARENT}-01-`, known],
    ['of a later version, with flags that nobody knows', `cc-${ID}-${PARENT}-09`, known],
  ])('%s', (_, value, passedOn) => {
    expect(readTraceparent(value)).toEqual({ traceID: ID, traceparent: passedOn });
  });

  test.each([
    ['version ff', `ff-${ID}-${PARENT}-01`],
    ['version ff with more', `ff-${ID}-${PARENT}-01-x`],
    ['version 00 with more', `${known}-x`],
    ['version 00 with a dash behind', `${known}-`],
    ['version 00 with a blank behind', `${known} `],
    ['a blank before', ` ${known}`],
    ['a later version with more but no dash', `01-${ID}-${PARENT}-01x`],
    ['a later version with longer flags', `01-${ID}-${PARENT}-011`],
    ['a trace id of zeros', `00-${'0'.repeat(32)}-${PARENT}-01`],
    ['a parent id of zeros', `00-${ID}-${'0'.repeat(16)}-01`],
    ['zeros in a later version', `01-${'0'.repeat(32)}-${PARENT}-01`],
    ['upper-case version', `0A-${ID}-${PARENT}-01`],
    ['upper-case trace id', `00-${ID.toUpperCase()}-${PARENT}-01`],
    ['upper-case parent id', `00-${ID}-${PARENT.toUpperCase()}-01`],
    ['upper-case flags', `00-${ID}-${PARENT}-0A`],
    ['digits that are not hex', `00-${ID.replace('a', 'g')}-${PARENT}-01`],
    ['a short trace id', `00-${ID.slice(1)}-${PARENT}-01`],
    ['a long parent id', `00-${ID}-${PARENT}0-01`],
    ['no flags', `00-${ID}-${PARENT}`],
    ['flags of one digit', `00-${ID}-${PARENT}-1`],
    ['other separators', known.replaceAll('-', '_')],
    ['two joined by a comma', `${known}, ${known}`],
    ['a line break behind', `${known}\n`],
    ['a line break in what is behind', `01-${ID}-${PARENT}-01-a\nb`],
    ['nothing', ''],
    ['no text', undefined],
    ['several', [known, known]],
  ])('%s is ignored', (_, value) => {
    expect(readTraceparent(value)).toBeUndefined();
  });
});
