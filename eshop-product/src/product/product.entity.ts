import {
  Column,
  CreateDateColumn,
  DeleteDateColumn,
  Entity,
  PrimaryGeneratedColumn,
  UpdateDateColumn,
  VersionColumn,
} from 'typeorm';

/** A product. A deleted one is hidden, and stays for the orders that name it. */
@Entity('product')
export class Product {
  @PrimaryGeneratedColumn({ type: 'bigint', unsigned: true }) id!: number;
  @Column({ type: 'varchar', length: 255 }) name!: string;
  /** Cents. */
  @Column({ type: 'int' }) price!: number;
  @Column({ type: 'varchar', length: 255 }) photo!: string;
  @Column({ type: 'text' }) description!: string;
  @CreateDateColumn({ name: 'created_at', type: 'datetime', precision: 3 }) createdAt!: Date;
  @UpdateDateColumn({ name: 'updated_at', type: 'datetime', precision: 3 }) updatedAt!: Date;
  /** Counts the changes, from 1. */
  @VersionColumn({ type: 'int', unsigned: true }) version!: number;
  @DeleteDateColumn({ name: 'deleted_at', type: 'datetime', precision: 3 }) deletedAt!: Date | null;
}
