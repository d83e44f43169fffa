import { DtmError } from '../../errors.js';

/**
 * A branch or a local step under the Redis barrier came to its end without a script: nothing would tell its repeat. DTM is told to
 * call again, which goes on until the handler is put right.
 */
export class DtmNoScript extends DtmError {
  constructor(gid: string) {
    super('DTM_NO_SCRIPT', 'the handler ran no script through RedisTransaction: nothing tells its repeat', { gid });
  }
}
