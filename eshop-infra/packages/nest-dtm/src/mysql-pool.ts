// A mysql2 pool that throws useless connections away: `@eshop/nest-dtm/mysql-pool`.
export { discardUseless, suspectConnections } from './barrier/discard-useless.js';
