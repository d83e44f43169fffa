/** How many calls of one kind a DTM server has answered. */
export async function answered(http: string, call: 'submit' | 'query'): Promise<number> {
  const metrics = await (await fetch(`${http}/api/metrics`)).text();
  const counts = metrics.matchAll(new RegExp(`^dtm_server_process_total\\{[^}]*${call}[^}]*\\} (\\d+)$`, 'gim'));
  return [...counts].reduce((sum, [, count]) => sum + Number(count), 0);
}
