// For tests with branches on MySQL: `@eshop/nest-dtm/testing/mysql`.
export { type ThrowAwayDatabase, throwAwayDatabase } from './throw-away-database.js';
