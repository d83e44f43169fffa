import { Column, CreateDateColumn, Entity, PrimaryGeneratedColumn, UpdateDateColumn } from 'typeorm';

/** The payment of one order. */
@Entity('pay')
export class Pay {
  @PrimaryGeneratedColumn({ type: 'bigint', unsigned: true }) id!: number;
  @Column({ name: 'user_id', type: 'bigint', unsigned: true }) userID!: number;
  @Column({ name: 'order_id', type: 'varchar', length: 45 }) orderID!: string;
  /** Cents. */
  @Column({ type: 'int', unsigned: true }) amount!: number;
  @Column({ type: 'int', unsigned: true }) status!: number;
  @CreateDateColumn({ name: 'created_at', type: 'datetime', precision: 3 }) createdAt!: Date;
  @UpdateDateColumn({ name: 'updated_at', type: 'datetime', precision: 3 }) updatedAt!: Date;
}
