export { InjectDataSource, InjectRepository } from '@nestjs/typeorm';
export { binaryCollation } from './binary-collation.js';
export { Crud, type CrudEntity, type CrudOptions, type CrudValues, isPageTooLarge } from './crud.js';
export { dataSourceOptions, type MysqlSchema, openDatabase } from './data-source.js';
export { type ListColumn, type ListFilter, type ListParams, listFilter } from './list-filter.js';
export { type MessageOf, messageOf } from './message-of.js';
export { MysqlModule } from './mysql.module.js';
export { type MysqlConfig, mysqlSection } from './section.js';
export { Sql, type SqlOutcome, type SqlRunner, type SqlValue } from './sql.js';
