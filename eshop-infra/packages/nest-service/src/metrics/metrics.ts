import { collectDefaultMetrics, Histogram, Registry } from 'prom-client';

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** A histogram of three labels that looks its series up once. */
class Timer {
  private readonly series = new Map<string, { observe(value: number): void }>();
  private readonly histogram: Histogram;

  constructor(
    registry: Registry,
    name: string,
    help: string,
    private readonly labels: readonly [string, string, string],
  ) {
    this.histogram = new Histogram({ name, help, labelNames: [...labels], buckets: SECONDS, registers: [registry] });
  }

  observe(ms: number, a: string, b: string, c: string | number): void {
    const key = `${a} ${b} ${c}`;
    let one = this.series.get(key);
    if (!one) {
      const [first, second, third] = this.labels;
      one = this.histogram.labels({ [first]: a, [second]: b, [third]: String(c) });
      this.series.set(key, one);
    }
    one.observe(ms / 1000);
  }
}

/** The service's Prometheus metrics, shown at /metrics. */
export class Metrics {
  /** Put your own metrics in here. */
  readonly registry = new Registry();
  readonly http: Timer;
  readonly grpcServer: Timer;
  readonly grpcClient: Timer;

  constructor(service: string) {
    this.registry.setDefaultLabels({ service });
    collectDefaultMetrics({ register: this.registry });
    this.http = new Timer(this.registry, 'http_server_duration_seconds', 'HTTP requests by route', [
      'method',
      'route',
      'status',
    ]);
    this.grpcServer = new Timer(this.registry, 'grpc_server_duration_seconds', 'gRPC calls served', [
      'rpc_service',
      'method',
      'code',
    ]);
    this.grpcClient = new Timer(this.registry, 'grpc_client_duration_seconds', 'gRPC calls to other services', [
      'rpc_service',
      'method',
      'code',
    ]);
  }
}
