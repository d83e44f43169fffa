import { Column, CreateDateColumn, Entity, PrimaryGeneratedColumn, UpdateDateColumn, VersionColumn } from 'typeorm';

/** A coupon of one user. */
@Entity('coupon')
export class Coupon {
  @PrimaryGeneratedColumn({ type: 'bigint', unsigned: true }) id!: number;
  @Column({ name: 'user_id', type: 'bigint', unsigned: true }) userID!: number;
  /** Cents. */
  @Column({ type: 'int', unsigned: true }) amount!: number;
  @Column({ type: 'int', unsigned: true }) status!: number;
  /** The order that holds it; '' = none. */
  @Column({ name: 'order_id', type: 'varchar', length: 45 }) orderID!: string;
  /** Counts the changes, from 1. */
  @VersionColumn({ type: 'int', unsigned: true }) version!: number;
  @CreateDateColumn({ name: 'created_at', type: 'datetime', precision: 3 }) createdAt!: Date;
  @UpdateDateColumn({ name: 'updated_at', type: 'datetime', precision: 3 }) updatedAt!: Date;
}
