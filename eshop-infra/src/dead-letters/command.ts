import { Command } from 'commander';
import { kafkaClient } from '../kafka/client.ts';
import { type UnreadableRecords, unreadableText } from '../kafka/read-topic.ts';
import { deadLetterTopic, orderTopic } from '../kafka/topics.ts';
import { type DeadLetter, DeadLetters } from './dead-letters.ts';

interface DeadLetterContext {
  ports: { kafka: number };
}

const KAFKA_RETRIES = 3;
const VALUE_SHOWN = 200;

/** `eshop dead-letters …`: records of the queue that could not become an order. */
export function deadLettersCommand(context: DeadLetterContext): Command {
  const of = (topic: string) => new DeadLetters(kafkaClient(context.ports, KAFKA_RETRIES), topic);
  const list = new Command('list')
    .description('show the dead letters that have not been replayed, with why they are there')
    .option('--topic <name>', 'whose', orderTopic)
    .option('--all', 'also those that have been replayed')
    .option('--json', 'print them as JSON')
    .action(async ({ topic, all, json }: { topic: string; all?: boolean; json?: boolean }) => {
      const letters = await of(topic).list({ all: all ?? false, unreadable: report(topic) });
      console.log(json ? JSON.stringify(letters, null, 2) : listText(letters));
    });
  const replay = new Command('replay')
    .description('put dead letters back into their topic: those that are named, or all that have not been replayed')
    .argument('[offset...]', 'as `list` shows them')
    .option('--topic <name>', 'whose', orderTopic)
    .action(async (offsets: string[], { topic }: { topic: string }) => {
      const { replayed, tooLarge, unreadable } = await of(topic).replay(offsets, report(topic));
      for (const { offset, from } of replayed) console.log(`${offset} is in ${topic} again (it came from ${from})`);
      for (const { offset, from } of tooLarge) console.log(`${offset} is too large to be replayed; it lies at ${from}`);
      for (const { letter, cause } of unreadable) console.log(`${letter.offset} is not replayed, or in part: ${cause}`);
      console.log(`${replayed.length} replayed`);
      if (tooLarge.length + unreadable.length > 0) process.exitCode = 1;
    });
  return new Command('dead-letters')
    .description('records of the queue that could not become an order')
    .addCommand(list)
    .addCommand(replay);
}

/** Says which dead letters cannot be read; the others are listed and replayed all the same. */
const report = (topic: string) => (letters: UnreadableRecords) => {
  console.error(unreadableText(deadLetterTopic(topic), letters));
  process.exitCode = 1;
};

/** Dead letters, for a person. */
export function listText(letters: readonly DeadLetter[]): string {
  if (letters.length === 0) return 'no dead letters';
  return letters
    .map(({ offset, at, code, cause, from, value, batch }) => {
      const missing = batch ? '(all records of a batch; `replay` reads it again)' : '(too large to be kept here)';
      const shown = value === null ? missing : value.slice(0, VALUE_SHOWN);
      return `${offset}  ${timeText(at)}  ${code}: ${cause}\n    from ${from}\n    ${shown}`;
    })
    .join('\n');
}

/** A record has the time that its writer gave it, which may be none that there is. */
function timeText(ms: number): string {
  const time = new Date(ms);
  return Number.isNaN(time.getTime()) ? `at ${ms} ms` : time.toISOString();
}
