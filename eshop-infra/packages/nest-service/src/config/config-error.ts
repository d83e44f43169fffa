/** One wrong setting. */
export interface ConfigIssue {
  /** Path in the YAML file, for example `mysql.poolSize`. */
  readonly path: string;
  /** The environment variable that sets it. */
  readonly env?: string;
  readonly message: string;
}

/** The configuration is wrong; names every wrong setting at once. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';

  constructor(
    readonly issues: readonly ConfigIssue[],
    source: string,
  ) {
    super(
      [
        `configuration is wrong (${source}):`,
        ...issues.map((issue) => `  ${issue.path}: ${issue.message}${issue.env ? ` (environment: ${issue.env})` : ''}`),
      ].join('\n'),
    );
  }
}
