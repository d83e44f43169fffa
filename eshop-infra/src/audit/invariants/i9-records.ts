import type { UnreadableRecords } from '../../kafka/read-topic.ts';
import type { QueueRecord } from '../queue/order-queue.ts';
import type { Violation } from '../violation.ts';

/**
 * I9: each record of the topic leads to one order or one dead letter. A record that the order service has committed was taken
 * up: its order is known and does not wait in the queue any more, or it lies among the dead letters.
 * @param state of the order that it names; undefined = nobody knows such an order
 */
export function recordLeadsSomewhere(record: QueueRecord, state: string | undefined): Violation[] {
  const { position, orderID, dead, unreadable } = record;
  if (dead || (state !== undefined && state !== 'queued')) return [];
  const found = (message: string): Violation[] => [{ invariant: 'I9', subject: `record ${position}`, message }];
  if (unreadable !== undefined) return found(`cannot be read (${unreadable}), yet it is no dead letter`);
  if (orderID === undefined) return found('is read and names no order, yet it is no dead letter');
  if (state === undefined)
    return found(`is read and names order ${orderID}, which is unknown; nor is it a dead letter`);
  return found(`is read, but order ${orderID} waits in the queue still`);
}

/** Dead letters that cannot be read say nothing about the records that they stand for. */
export function unreadableLetters(topic: string, letters: UnreadableRecords): Violation {
  const { partition, firstOffset, lastOffset, cause } = letters;
  return {
    invariant: 'I9',
    subject: `dead letters ${topic}/${partition}/${firstOffset}-${lastOffset}`,
    message: `cannot be read: ${cause}`,
  };
}
