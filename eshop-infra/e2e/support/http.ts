/** The envelope of every answer, and the HTTP status it came with. */
export interface Answer<T = Record<string, unknown>> {
  status: number;
  code: number;
  msg: string;
  data: T;
  requestID?: string;
  violations?: { field: string; rule: string; description: string }[];
  headers: Headers;
}

/** Sends one request and reads the envelope. `body` is sent as JSON, a string or bytes as they are. */
export async function call<T = Record<string, unknown>>(
  method: string,
  url: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer<T>> {
  const raw = typeof body === 'string' || body instanceof Uint8Array;
  const response = await fetch(url, {
    method,
    headers: body === undefined ? headers : { 'content-type': 'application/json', ...headers },
    body: body === undefined ? undefined : raw ? (body as string) : JSON.stringify(body),
    signal: AbortSignal.timeout(30_000),
  });
  const envelope = (await response.json()) as Omit<Answer<T>, 'status' | 'headers'>;
  return { ...envelope, status: response.status, headers: response.headers };
}

/** The data of a call that must succeed; anything else throws with the whole answer. */
export async function expectOk<T>(answer: Promise<Answer<T>>): Promise<T> {
  const { headers: _, ...rest } = await answer;
  if (rest.status !== 200 || rest.code !== 0) throw new Error(`expected success, got ${JSON.stringify(rest)}`);
  return rest.data;
}
