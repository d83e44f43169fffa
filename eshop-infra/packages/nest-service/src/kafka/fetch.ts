import Fetch from 'kafkajs/src/protocol/requests/fetch/index.js';
import { tolerantFetch } from './wire/fetch-response.js';

/** As kafkajs has it, so that to correct it twice is to correct it once. */
const { protocol } = Fetch;

/** Puts the reading of batches that goes on where kafkajs gives up in the library's place, for all its clients. */
export function correctFetch(): void {
  Fetch.protocol = tolerantFetch({ protocol });
}
