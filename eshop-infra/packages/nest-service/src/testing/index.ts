export { startTestService, type TestService } from './start-test-service.js';
export { type TestDatabase, testDatabase } from './test-database.js';
