/**
 * Path of a query. DTM 1.18 labels its metrics with all that follows the last slash of a request, so that each gid would leave
 * a time series in the server for ever; the slash at the end makes one of all.
 */
export function queryPath(gid: string): string {
  return `/api/dtmsvr/query?gid=${encodeURIComponent(gid)}&as=/query`;
}
