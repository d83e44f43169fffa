/** A column that list filters and sorting may name. */
export interface ColumnDef {
  /** The entity's field behind it. */
  readonly field: string;
  /** How the text of a filter value is read. */
  readonly kind: 'uint64' | 'uint32' | 'int32' | 'string' | 'timestamp';
}

/** The allow-list of an entity: SQL column name → field. */
export type ColumnTable = Readonly<Record<string, ColumnDef>>;
