/**
 * What an error says. `busy`: not now, on this connection or another. `lost`: the server ends the connection, or has ended it.
 * `wrong-server`: the server takes no writes, and other connections to it are as useless; the name may stand for another by now.
 */
export type NotNow = 'busy' | 'lost' | 'wrong-server';

/** Which of an error's texts count. */
export interface TextRule {
  /** With these it says something else. */
  readonly not?: RegExp;
  /** With others it says something else. */
  readonly only?: RegExp;
}

/** An error of MySQL, MariaDB or their client library that says "not now": nothing the statement itself is to blame for. */
export interface MysqlError {
  /** As in the servers' references, `errno` of mysql2. */
  readonly number: number;
  /** Its symbol. */
  readonly name: string;
  /** What it says. */
  readonly says: NotNow;
  /** Why it passes. */
  readonly reason: string;
  /** Where the number alone does not tell. */
  readonly text?: TextRule;
}

/** What is looked at of an error of mysql2. */
export interface DriverError {
  /** The server's number. */
  readonly errno?: unknown;
  /** The server's text. */
  readonly sqlMessage?: unknown;
  /** The same, or the driver's. */
  readonly message?: unknown;
}

/** 1290 names the option in its way: `--read-only`, `--super-read-only`, but `--secure-file-priv` as well, which stays. */
const OTHER_OPTION = /--(?!(?:super[-_]|innodb[-_])?read[-_]only)[a-z]/i;

const entry = (says: NotNow) => (number: number, name: string, reason: string, text?: TextRule) => ({
  ...{ number, name, says, reason },
  ...(text && { text }),
});
const busy = entry('busy');
const lost = entry('lost');
const wrongServer = entry('wrong-server');

/**
 * All of them, from the error references of MySQL 8.4 and of MariaDB 10.11 and 11. Where only one of the two has the number, or they
 * differ, the reason says so.
 */
export const mysqlErrors: readonly MysqlError[] = [
  busy(1020, 'ER_CHECKREAD', 'the row has changed since the snapshot was taken (MariaDB, innodb_snapshot_isolation)'),
  busy(1021, 'ER_DISK_FULL', 'the disk is full, and the server waits for room'),
  busy(1026, 'ER_ERROR_ON_WRITE', 'a file cannot be written, mostly since the disk is full'),
  busy(1028, 'ER_FILSORT_ABORT', 'sorting was interrupted, by a kill or for want of room'),
  wrongServer(1036, 'ER_OPEN_AS_READONLY', 'the table is read-only, as all are under innodb_read_only'),
  busy(1037, 'ER_OUTOFMEMORY', 'the server has no memory left'),
  busy(1038, 'ER_OUT_OF_SORTMEMORY', 'no memory is left to sort in'),
  busy(1040, 'ER_CON_COUNT_ERROR', 'too many connections'),
  busy(1041, 'ER_OUT_OF_RESOURCES', 'the machine has no memory left'),
  lost(1042, 'ER_BAD_HOST_ERROR', "the server could not resolve the client's address"),
  lost(1043, 'ER_HANDSHAKE_ERROR', 'the handshake was cut short'),
  wrongServer(1047, 'ER_UNKNOWN_COM_ERROR', 'a Galera node has left its cluster, or has not joined it yet', {
    only: /WSREP|prepared node/i,
  }),
  lost(1053, 'ER_SERVER_SHUTDOWN', 'the server is shutting down'),
  lost(1077, 'ER_NORMAL_SHUTDOWN', 'the server is shutting down'),
  lost(1078, 'ER_GOT_SIGNAL', 'the server was told to end'),
  lost(1079, 'ER_SHUTDOWN_COMPLETE', 'the server has shut down'),
  lost(1080, 'ER_FORCING_CLOSE', 'the server closes its connections to shut down'),
  busy(1114, 'ER_RECORD_FILE_FULL', 'the tablespace or the disk is full'),
  busy(1129, 'ER_HOST_IS_BLOCKED', 'too many connections of this host broke off; FLUSH HOSTS unblocks it'),
  busy(1135, 'ER_CANT_CREATE_THREAD', 'the server can start no thread for another connection'),
  lost(1152, 'ER_ABORTING_CONNECTION', 'the server has broken off the connection'),
  lost(1154, 'ER_NET_READ_ERROR_FROM_PIPE', 'the connection broke'),
  lost(1155, 'ER_NET_FCNTL_ERROR', 'the connection broke'),
  lost(1156, 'ER_NET_PACKETS_OUT_OF_ORDER', 'the connection is out of step'),
  lost(1157, 'ER_NET_UNCOMPRESS_ERROR', 'the connection is out of step'),
  lost(1158, 'ER_NET_READ_ERROR', 'the connection broke'),
  lost(1159, 'ER_NET_READ_INTERRUPTED', 'the client was too slow, or the network'),
  lost(1160, 'ER_NET_ERROR_ON_WRITE', 'the connection broke'),
  lost(1161, 'ER_NET_WRITE_INTERRUPTED', 'the client was too slow, or the network'),
  busy(1180, 'ER_ERROR_DURING_COMMIT', 'the storage could not commit'),
  lost(1181, 'ER_ERROR_DURING_ROLLBACK', 'the storage could not roll back'),
  lost(1184, 'ER_NEW_ABORTING_CONNECTION', 'the server has broken off the connection'),
  busy(1203, 'ER_TOO_MANY_USER_CONNECTIONS', 'too many connections of this account'),
  busy(1205, 'ER_LOCK_WAIT_TIMEOUT', 'another transaction holds the lock for too long'),
  busy(1206, 'ER_LOCK_TABLE_FULL', 'there are more locks than the buffer pool has room for'),
  busy(1213, 'ER_LOCK_DEADLOCK', 'two transactions waited for each other; also when Galera finds a conflict'),
  busy(1226, 'ER_USER_LIMIT_REACHED', 'the account has used up what it may in an hour'),
  wrongServer(1290, 'ER_OPTION_PREVENTS_STATEMENT', 'the server is read_only, as a replica is', { not: OTHER_OPTION }),
  busy(1317, 'ER_QUERY_INTERRUPTED', 'the statement was killed'),
  busy(1412, 'ER_TABLE_DEF_CHANGED', 'the table was altered since the transaction began'),
  busy(1461, 'ER_MAX_PREPARED_STMT_COUNT_REACHED', 'all clients together have prepared too many statements'),
  busy(1613, 'ER_XA_RBTIMEOUT', 'the transaction took too long and was rolled back'),
  busy(1614, 'ER_XA_RBDEADLOCK', 'two transactions waited for each other'),
  busy(1615, 'ER_NEED_REPREPARE', 'the tables of a prepared statement change all the time'),
  busy(1637, 'ER_TOO_MANY_CONCURRENT_TRXS', 'too many transactions are open'),
  busy(1689, 'ER_LOCK_ABORTED', 'the wait for a lock was broken off'),
  wrongServer(1792, 'ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION', 'transactions are read-only by the server’s setting'),
  wrongServer(1836, 'ER_READ_ONLY_MODE', 'the server runs in read-only mode'),
  wrongServer(1874, 'ER_INNODB_READ_ONLY', 'InnoDB runs in read-only mode'),
  busy(1878, 'ER_TEMP_FILE_WRITE_FAILURE', 'there is no room for a temporary file'),
  wrongServer(1881, 'ER_INNODB_FORCED_RECOVERY', 'InnoDB was started to rescue data, and takes no writes'),
  lost(1927, 'ER_CONNECTION_KILLED', 'the connection was killed (MariaDB)'),
  busy(1969, 'ER_STATEMENT_TIMEOUT', 'max_statement_time was over (MariaDB)'),
  lost(2002, 'CR_CONNECTION_ERROR', 'the server cannot be reached'),
  lost(2003, 'CR_CONN_HOST_ERROR', 'the server cannot be reached'),
  lost(2006, 'CR_SERVER_GONE_ERROR', 'the connection is gone'),
  lost(2012, 'CR_SERVER_HANDSHAKE_ERR', 'the handshake was cut short'),
  lost(2013, 'CR_SERVER_LOST', 'the connection broke while the statement ran'),
  lost(2055, 'CR_SERVER_LOST_EXTENDED', 'the connection broke while the statement ran'),
  busy(3015, 'ER_ENGINE_OUT_OF_MEMORY', 'the storage has no memory left'),
  busy(3019, 'ER_INNODB_UNDO_LOG_FULL', 'there is no room for what a rollback needs (MySQL)'),
  busy(3024, 'ER_QUERY_TIMEOUT', 'max_execution_time was over (MySQL)'),
  wrongServer(3032, 'ER_SERVER_OFFLINE_MODE', 'the server was taken offline and serves administrators only'),
  busy(3058, 'ER_USER_LOCK_DEADLOCK', 'two sessions waited for each other’s named locks'),
  wrongServer(3100, 'ER_RUN_HOOK_ERROR', 'a member of group replication cannot reach its group (MySQL)'),
  busy(3101, 'ER_TRANSACTION_ROLLBACK_DURING_COMMIT', 'group replication found a conflict and rolled back (MySQL)'),
  busy(3132, 'ER_LOCKING_SERVICE_DEADLOCK', 'two sessions waited for each other’s service locks (MySQL)'),
  busy(3133, 'ER_LOCKING_SERVICE_TIMEOUT', 'another session holds the service lock for too long (MySQL)'),
  lost(3168, 'ER_SERVER_ISNT_AVAILABLE', 'the server is starting or ending (MySQL)'),
  lost(3169, 'ER_SESSION_WAS_KILLED', 'the session was killed (MySQL)'),
  busy(3572, 'ER_LOCK_NOWAIT', 'another transaction holds the lock, and NOWAIT does not wait (MySQL)'),
  busy(3633, 'ER_CLONE_DDL_IN_PROGRESS', 'the server is being cloned, and its tables cannot change (MySQL)'),
  busy(3675, 'ER_DISK_FULL_NOWAIT', 'the disk is full (MySQL)'),
  wrongServer(3781, 'ER_GR_HOLD_WAIT_TIMEOUT', 'the new primary has not caught up with its group in time (MySQL)'),
  wrongServer(3782, 'ER_GR_HOLD_KILLED', 'the new primary was stopped while it caught up with its group (MySQL)'),
  busy(3985, 'ER_MDL_OUT_OF_RESOURCES', 'no memory is left for locks of tables (MySQL)'),
  wrongServer(3989, 'ER_SCHEMA_READ_ONLY', 'the database is read-only while it moves to another server (MySQL)'),
  lost(4031, 'ER_CLIENT_INTERACTION_TIMEOUT', 'the connection was idle for too long (MySQL)'),
  busy(4081, 'ER_DA_GLOBAL_CONN_LIMIT', 'all connections together use too much memory (MySQL)'),
];

const byNumber: ReadonlyMap<number, MysqlError> = new Map(mysqlErrors.map((one) => [one.number, one]));

/**
 * What an error of the driver says, by its number and, where that decides, its text; `undefined` when it does not say "not now". Looks at
 * the error itself, not at its causes.
 */
export function notNow(error: DriverError): NotNow | undefined {
  const found = typeof error.errno === 'number' ? byNumber.get(error.errno) : undefined;
  if (!found?.text) return found?.says;
  const text = String(error.sqlMessage ?? error.message ?? '');
  const { not, only } = found.text;
  return not?.test(text) || only?.test(text) === false ? undefined : found.says;
}
