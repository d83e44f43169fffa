import type { TestDatabase } from './test-database.js';
import type { TestTopic } from './test-topic.js';

export { eventually } from './eventually.js';
export { type Answer, send } from './send.js';
export { type ConfigFile, type ReadmeSettings, readmeSettings, settingsTable, unnamedSettings } from './settings.js';
export { startTestService, type TestService } from './start-test-service.js';
export type { TestDatabase, TestTopic };

// What follows is loaded when it is called: a service without a database has no mysql2, one without Kafka no kafkajs.

/** Makes a database with a random name on TEST_MYSQL_URL (default mysql://root@127.0.0.1:3306, needs all rights). */
export async function testDatabase(prefix?: string): Promise<TestDatabase> {
  return (await import('./test-database.js')).testDatabase(prefix);
}

/** Makes a topic with a random name on TEST_KAFKA (default 127.0.0.1:9092), and one for its dead letters. */
export async function testTopic(partitions?: number, prefix?: string): Promise<TestTopic> {
  return (await import('./test-topic.js')).testTopic(partitions, prefix);
}
