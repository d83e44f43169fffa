import base from './jest.config.js';

/** What the repositories must agree on; the specs read the files of those that lie beside this one. */
export default { ...base, testRegex: '\\.together\\.spec\\.ts$' };
