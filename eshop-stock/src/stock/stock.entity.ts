import { Column, CreateDateColumn, Entity, PrimaryGeneratedColumn, UpdateDateColumn } from 'typeorm';

/** Units of one product. */
@Entity('stock')
export class Stock {
  @PrimaryGeneratedColumn({ type: 'bigint', unsigned: true }) id!: number;
  @Column({ name: 'product_id', type: 'bigint', unsigned: true }) productID!: number;
  /** Units that can be ordered. */
  @Column({ type: 'int', unsigned: true }) stock!: number;
  /** Units ever supplied: those in stock and those of live orders. Not shown; the audit balances it. */
  @Column({ type: 'int', unsigned: true, select: false }) initial!: number;
  @CreateDateColumn({ name: 'created_at', type: 'datetime', precision: 3 }) createdAt!: Date;
  @UpdateDateColumn({ name: 'updated_at', type: 'datetime', precision: 3 }) updatedAt!: Date;
}
