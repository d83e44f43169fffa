import { createHmac } from 'node:crypto';
import type { Context } from '../context.ts';
import { servicesWithDatabase } from './service-names.ts';

/** A user of the database server: rights on its own database and nothing else. */
export interface DatabaseUser {
  user: string;
  password: string;
  database: string;
}

export function databaseUser(context: Context, user: string): DatabaseUser {
  return {
    user,
    password: createHmac('sha256', context.secrets.users).update(user).digest('hex').slice(0, 40),
    database: user === 'dtm' ? 'dtm' : `eshop_${user}`,
  };
}

/** One for DTM and one for each service that has a database. */
export function databaseUsers(context: Context): DatabaseUser[] {
  return ['dtm', ...servicesWithDatabase].map((user) => databaseUser(context, user));
}
