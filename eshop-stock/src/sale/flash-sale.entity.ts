import { Column, CreateDateColumn, Entity, PrimaryColumn, UpdateDateColumn } from 'typeorm';

/** The states of a sale. */
export const SaleStatus = { running: 1, ended: 2 } as const;

/** A flash sale. A product has at most one that runs. */
@Entity('flash_sale')
export class FlashSale {
  @PrimaryColumn({ type: 'bigint', unsigned: true }) id!: number;
  @Column({ name: 'product_id', type: 'bigint', unsigned: true }) productID!: number;
  /** Units allotted over the sale's whole life, less those taken back. */
  @Column({ type: 'int', unsigned: true }) units!: number;
  /** Units that one user may buy; 0 = no limit. */
  @Column({ name: 'limit_per_user', type: 'int', unsigned: true }) limitPerUser!: number;
  /** null = at once. */
  @Column({ name: 'opens_at', type: 'datetime', precision: 3, nullable: true }) opensAt!: Date | null;
  /** null = never. */
  @Column({ name: 'closes_at', type: 'datetime', precision: 3, nullable: true }) closesAt!: Date | null;
  /** Number of the last change, among all changes of the product's sales. */
  @Column({ type: 'int', unsigned: true }) version!: number;
  /** One of {@link SaleStatus}. */
  @Column({ type: 'tinyint', unsigned: true }) status!: number;
  @CreateDateColumn({ name: 'created_at', type: 'datetime', precision: 3 }) createdAt!: Date;
  @UpdateDateColumn({ name: 'updated_at', type: 'datetime', precision: 3 }) updatedAt!: Date;
}
