import {
  Column,
  CreateDateColumn,
  DeleteDateColumn,
  Entity,
  PrimaryGeneratedColumn,
  UpdateDateColumn,
  VersionColumn,
} from 'typeorm';

/** A user. A deleted one is hidden; the e-mail may then be used again. */
@Entity('user')
export class User {
  @PrimaryGeneratedColumn({ type: 'bigint', unsigned: true }) id!: number;
  @Column({ type: 'varchar', length: 50 }) name!: string;
  /** Hash of the password; never read by queries that do not ask for it. */
  @Column({ type: 'varchar', length: 255, select: false }) password!: string;
  /** Unique among the users that are not deleted, whatever the case: `ann@example.com` and `Ann@Example.com` are one mailbox. */
  @Column({ type: 'varchar', length: 50 }) email!: string;
  @Column({ type: 'varchar', length: 30 }) phone!: string;
  @Column({ type: 'varchar', length: 200 }) avatar!: string;
  @Column({ type: 'tinyint', unsigned: true }) age!: number;
  @Column({ type: 'tinyint', unsigned: true }) gender!: number;
  @Column({ type: 'tinyint', unsigned: true }) status!: number;
  /** Time of the last login, epoch seconds. */
  @Column({ name: 'login_at', type: 'bigint', unsigned: true }) loginAt!: number;
  @Column({ name: 'login_type', type: 'tinyint', unsigned: true }) loginType!: number;
  @CreateDateColumn({ name: 'created_at', type: 'datetime', precision: 3 }) createdAt!: Date;
  @UpdateDateColumn({ name: 'updated_at', type: 'datetime', precision: 3 }) updatedAt!: Date;
  /** Counts the changes, from 1. */
  @VersionColumn({ type: 'int', unsigned: true }) version!: number;
  @DeleteDateColumn({ name: 'deleted_at', type: 'datetime', precision: 3 }) deletedAt!: Date | null;
}
