/** An answer over HTTP, its envelope read. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: {
    code: number;
    msg: string;
    data: Record<string, unknown>;
    requestID?: string;
    violations?: { field: string; rule: string; description: string }[];
  };
}

/** Sends a request; a body that is not text is sent as JSON. */
export async function send(
  method: string,
  url: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const text =
    body === undefined || typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body);
  const response = await fetch(url, {
    method,
    headers: { ...(text !== undefined && { 'content-type': 'application/json' }), ...headers },
    ...(text !== undefined && { body: text as string }),
  });
  return { status: response.status, headers: response.headers, body: (await response.json()) as Answer['body'] };
}
