declare module 'kafkajs/src/protocol/requests/fetch/index.js' {
  const Fetch: import('../../packages/nest-service/src/kafka/wire/fetch-response.ts').FetchRequests;
  export default Fetch;
}
