declare module 'kafkajs/src/network/requestQueue/index.js' {
  const RequestQueue: { readonly prototype: object };
  export default RequestQueue;
}

declare module 'kafkajs/src/protocol/requests/fetch/index.js' {
  const Fetch: import('./wire/fetch-response.js').FetchRequests;
  export default Fetch;
}
