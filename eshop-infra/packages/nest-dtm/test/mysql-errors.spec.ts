import { isTransient } from '../src/index.js';
import { mysqlErrors, notNow } from '../src/mysql-errors.js';

describe('the list of errors that say "not now"', () => {
  test('has each number once, in order, with a name and one reason', () => {
    const numbers = mysqlErrors.map(({ number }) => number);
    expect(numbers).toEqual([...new Set(numbers)].sort((one, other) => one - other));
    for (const { name, reason } of mysqlErrors) {
      expect(name).toMatch(/^(ER|CR)_[A-Z0-9_]+$/);
      expect(reason.length).toBeGreaterThan(10);
    }
  });

  test.each(mysqlErrors.filter(({ text }) => !text))('$number $name: $reason', ({ number, says }) => {
    const error = Object.assign(new Error('any words'), { errno: number });
    expect(notNow(error)).toBe(says);
    expect(isTransient(error)).toBe(true);
    expect(isTransient(new Error('around it', { cause: error }))).toBe(true);
    expect(isTransient({ driverError: error })).toBe(true);
  });

  const server = 'The MySQL server is running with the';
  test.each([
    [1290, `${server} --read-only option so it cannot execute this statement`, 'wrong-server'],
    [1290, `${server} --super-read-only option so it cannot execute this statement`, 'wrong-server'],
    [
      1290,
      'The MariaDB server is running with the --read-only option so it cannot execute this statement',
      'wrong-server',
    ],
    [1290, `${server} --innodb-read-only option so it cannot execute this statement`, 'wrong-server'],
    [1290, `${server} --secure-file-priv option so it cannot execute this statement`, undefined],
    [1290, `${server} --skip-grant-tables option so it cannot execute this statement`, undefined],
    [1290, '', 'wrong-server'],
    [1047, 'WSREP has not yet prepared node for application use', 'wrong-server'],
    [1047, 'Unknown command', undefined],
    [1062, 'Duplicate entry', undefined],
    [1146, 'no such table', undefined],
    [1142, 'denied', undefined],
  ])('%d "%s": %s', (errno, sqlMessage, says) => {
    expect(notNow({ errno, sqlMessage })).toBe(says);
    expect(notNow({ errno, message: sqlMessage })).toBe(says);
  });

  test('does not look at what is no number of the server', () => {
    expect(notNow({})).toBeUndefined();
    expect(notNow({ errno: '1213' })).toBeUndefined();
    expect(notNow({ errno: -111 })).toBeUndefined();
  });
});
