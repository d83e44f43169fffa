/** How paths are matched: by the router that serves them, and by the one that knows which other methods a path has. */
export const ROUTER_OPTIONS = {
  /** Longest path parameter; longer ones are refused before any handler. */
  maxParamLength: 256,
} as const;
