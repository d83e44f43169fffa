import { type CodeName, codeTable } from './generated/codes.js';

export type { CodeName } from './generated/codes.js';

/** What one code means on both transports. */
export interface CodeDef {
  readonly name: CodeName;
  /** Number in the envelope, stable for ever; 0 is success. */
  readonly code: number;
  readonly httpStatus: number;
  /** gRPC status number (google.rpc.Code). */
  readonly grpcStatus: number;
  /** Message when the thrower gives none. */
  readonly msg: string;
  /** What it means, for documentation. */
  readonly description: string;
}

/** All codes by name, as the enum `eshop.v1.Code` of the contract states them. */
export const codes: Readonly<Record<CodeName, CodeDef>> = codeTable;
