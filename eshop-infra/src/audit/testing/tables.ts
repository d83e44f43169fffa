import type { Schemas } from '../schemas.ts';

const services = 'ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci';
const dtm = 'ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_general_ci';

const terms = `user_id bigint unsigned NOT NULL, product_id bigint unsigned NOT NULL, product_count int unsigned NOT NULL,
  amount int unsigned NOT NULL, coupon_id bigint unsigned NOT NULL, price int unsigned NULL,
  coupon_amount int unsigned NOT NULL DEFAULT 0, sale_id bigint unsigned NOT NULL DEFAULT 0`;

const barrier = (
  ids: string,
) => `(id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY, trans_type varchar(45) NOT NULL DEFAULT '',
  gid varchar(128) ${ids} NOT NULL DEFAULT '', branch_id varchar(128) ${ids} NOT NULL DEFAULT '', op varchar(45) ${ids} NOT NULL DEFAULT '',
  barrier_id varchar(45) ${ids} NOT NULL DEFAULT '', reason varchar(45) NOT NULL DEFAULT '',
  UNIQUE KEY branch (gid, branch_id, op, barrier_id)) ${services}`;

/**
 * The columns the audit reads, as the services' migrations and DTM's script make them: the services' ids with one collation, DTM's
 * with another, as on a real server. `binary` is the server's binary collation that does not pad.
 */
export function tables(schemas: Schemas, binary: string): string[] {
  const ids = `COLLATE ${binary}`;
  return [
    `CREATE TABLE ${schemas.order}.order_record (id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
       order_id varchar(45) ${ids} NOT NULL UNIQUE, ${terms}, status int unsigned NOT NULL) ${services}`,
    `CREATE TABLE ${schemas.order}.order_submission (order_id varchar(45) ${ids} NOT NULL PRIMARY KEY, ${terms},
       state tinyint unsigned NOT NULL, reason varchar(255) NOT NULL DEFAULT '',
       created_at datetime(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3), finished_at datetime(3) NULL,
       next_attempt_at datetime(3) NULL, KEY due (state, next_attempt_at)) ${services}`,
    `CREATE TABLE ${schemas.stock}.stock (id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
       product_id bigint unsigned NOT NULL UNIQUE, stock int NOT NULL, initial int unsigned NOT NULL,
       allotted int NOT NULL DEFAULT 0, sale_id bigint unsigned NOT NULL DEFAULT 0,
       sale_version int unsigned NOT NULL DEFAULT 0) ${services}`,
    `CREATE TABLE ${schemas.stock}.flash_sale (id bigint unsigned NOT NULL PRIMARY KEY, product_id bigint unsigned NOT NULL,
       units int unsigned NOT NULL, limit_per_user int unsigned NOT NULL, version int unsigned NOT NULL,
       status tinyint unsigned NOT NULL, created_at datetime(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
       updated_at datetime(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3), KEY product (product_id, status, id)) ${services}`,
    `CREATE TABLE ${schemas.coupon}.coupon (id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
       user_id bigint unsigned NOT NULL, amount int unsigned NOT NULL, status int unsigned NOT NULL,
       order_id varchar(45) ${ids} NOT NULL DEFAULT '') ${services}`,
    `CREATE TABLE ${schemas.pay}.pay (id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
       user_id bigint unsigned NOT NULL, order_id varchar(45) ${ids} NOT NULL, amount int unsigned NOT NULL,
       status int unsigned NOT NULL, UNIQUE KEY order_id (order_id)) ${services}`,
    ...[schemas.order, schemas.stock, schemas.coupon, schemas.pay].map(
      (schema) => `CREATE TABLE ${schema}.barrier ${barrier(ids)}`,
    ),
    `CREATE TABLE ${schemas.dtm}.trans_global (id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY,
       gid varchar(128) COLLATE utf8mb4_bin NOT NULL UNIQUE, trans_type varchar(45) NOT NULL, status varchar(12) NOT NULL,
       rollback_reason varchar(1024) DEFAULT '', next_cron_time datetime NULL,
       KEY status_next_cron_time (status, next_cron_time)) ${dtm}`,
    `CREATE TABLE ${schemas.dtm}.trans_branch_op (id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY,
       gid varchar(128) COLLATE utf8mb4_bin NOT NULL, url varchar(1024) NOT NULL, branch_id varchar(128) NOT NULL, op varchar(45) NOT NULL,
       status varchar(45) NOT NULL, UNIQUE KEY gid_uniq (gid, branch_id, op)) ${dtm}`,
  ];
}
