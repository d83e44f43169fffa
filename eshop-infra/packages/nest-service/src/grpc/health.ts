import { BinaryReader } from '@bufbuild/protobuf/wire';
import {
  type Server,
  type ServerWritableStream,
  type ServiceDefinition,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import type { Readiness } from '../health/readiness.js';

const SERVING = 1;
const NOT_SERVING = 2;
const SERVICE_UNKNOWN = 3;
const WATCH_INTERVAL_MS = 1_000;
const INVALID = { code: status.INVALID_ARGUMENT, details: 'the bytes are no HealthCheckRequest' };

/** Not the bare name: grpc-js takes an empty one for no request at all. */
interface Request {
  /** undefined when the bytes are no request. */
  readonly service: string | undefined;
}

/** grpc.health.v1.Health: HealthCheckRequest { string service = 1 }, HealthCheckResponse { ServingStatus status = 1 }. */
const method = {
  requestSerialize: ({ service = '' }: Request) =>
    Buffer.from([10, Buffer.byteLength(service), ...Buffer.from(service)]),
  requestDeserialize: readRequest,
  responseSerialize: (state: number) => Buffer.from([8, state]),
  responseDeserialize: (bytes: Buffer) => bytes[1] ?? 0,
  requestStream: false,
} as const;
const definition = {
  check: { ...method, path: '/grpc.health.v1.Health/Check', responseStream: false },
  watch: { ...method, path: '/grpc.health.v1.Health/Watch', responseStream: true },
} satisfies ServiceDefinition;

/** Serves the standard health protocol; a service is SERVING while it is ready. */
export function addHealth(server: Server, fullName: string, readiness: Readiness): void {
  const known = new Set(['', fullName]);
  const state = async () => ((await readiness.report()).ready ? SERVING : NOT_SERVING);
  server.addService(definition, {
    check: ({ request }: { request: Request }, callback: sendUnaryData<number>) => {
      if (request.service === undefined) {
        callback(INVALID);
        return;
      }
      if (!known.has(request.service)) {
        callback({ code: status.NOT_FOUND, details: 'unknown service' });
        return;
      }
      state().then(
        (value) => callback(null, value),
        (error: Error) => callback(error),
      );
    },
    watch: (call: ServerWritableStream<Request, number>) => {
      const { service } = call.request;
      if (service === undefined) {
        call.emit('error', INVALID);
        return;
      }
      let last = 0;
      const tell = async () => {
        const now = known.has(service) ? await state() : SERVICE_UNKNOWN;
        if (now !== last && !call.cancelled) call.write(now);
        last = now;
        // A stream that stays open would hold up the shutdown.
        if (readiness.isDraining) call.end();
      };
      const timer = setInterval(tell, WATCH_INTERVAL_MS);
      const stop = () => clearInterval(timer);
      call.on('cancelled', stop);
      call.on('close', stop);
      void tell();
    },
  });
}

function readRequest(bytes: Buffer): Request {
  try {
    const reader = new BinaryReader(bytes);
    let service = '';
    while (reader.pos < reader.len) {
      const [field, wireType] = reader.tag();
      if (field === 1 && wireType === 2) service = reader.string(true);
      else reader.skip(wireType, field);
    }
    return { service };
  } catch {
    return { service: undefined };
  }
}
