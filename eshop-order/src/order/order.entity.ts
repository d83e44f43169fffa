import { Column, CreateDateColumn, Entity, PrimaryGeneratedColumn, UpdateDateColumn } from 'typeorm';

/** An order as the saga entered it. All amounts are cents. */
@Entity('order_record')
export class Order {
  @PrimaryGeneratedColumn({ type: 'bigint', unsigned: true }) id!: number;
  @Column({ name: 'order_id', type: 'varchar', length: 45 }) orderID!: string;
  @Column({ name: 'user_id', type: 'bigint', unsigned: true }) userID!: number;
  @Column({ name: 'product_id', type: 'bigint', unsigned: true }) productID!: number;
  @Column({ name: 'product_count', type: 'int', unsigned: true }) productCount!: number;
  @Column({ type: 'int', unsigned: true }) amount!: number;
  /** 0 = none. */
  @Column({ name: 'coupon_id', type: 'bigint', unsigned: true }) couponID!: number;
  /** Unit price at acceptance; null = the amount is the client's own. */
  @Column({ type: 'int', unsigned: true, nullable: true }) price!: number | null;
  @Column({ name: 'coupon_amount', type: 'int', unsigned: true }) couponAmount!: number;
  /** 0 = an ordinary order. */
  @Column({ name: 'sale_id', type: 'bigint', unsigned: true }) saleID!: number;
  @Column({ type: 'int', unsigned: true }) status!: number;
  @CreateDateColumn({ name: 'created_at', type: 'datetime', precision: 3 }) createdAt!: Date;
  @UpdateDateColumn({ name: 'updated_at', type: 'datetime', precision: 3 }) updatedAt!: Date;
}
