/** One broken rule of a request, as it appears in the HTTP envelope and in google.rpc.BadRequest. */
export interface Violation {
  /** Path of the field, for example `params.columns[0].name`; empty for the request as a whole. */
  readonly field: string;
  /** The rule: a buf.validate id (`uint64.gt`, `string.min_len`, `required`), `timestamp`, `type`, `encoding` or `path.contradiction`. */
  readonly rule: string;
  /** The rule in words, to be read after the field's name. */
  readonly description: string;
}
