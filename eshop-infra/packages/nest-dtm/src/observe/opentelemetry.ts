import { context, propagation, type Span, SpanKind, SpanStatusCode, type Tracer, trace } from '@opentelemetry/api';
import { type DtmObserver, statusOf } from './observer.js';

/** Settings of the spans. */
export interface OpenTelemetryOptions {
  /** Default: the global provider's tracer `@eshop/nest-dtm`. */
  tracer?: Tracer;
}

/**
 * Spans of submits and branch calls. The submitter's context travels as branch headers (`traceparent`, …), so that each branch,
 * whenever DTM calls it and however often, is a child of what submitted the transaction.
 *
 * Attributes: `dtm.gid`, `dtm.type`, `dtm.branch_id`, `dtm.op`, `dtm.outcome`.
 */
export function openTelemetryObserver({ tracer }: OpenTelemetryOptions = {}): DtmObserver {
  const spans = () => tracer ?? trace.getTracer('@eshop/nest-dtm');
  return {
    headers: () => {
      const carrier: Record<string, string> = {};
      propagation.inject(context.active(), carrier);
      return carrier;
    },
    submit: ({ gid, transType, server }, run) => {
      const attributes = { 'dtm.gid': gid, 'dtm.type': transType, 'dtm.server': server };
      return spans().startActiveSpan(
        `dtm submit ${transType}`,
        { kind: SpanKind.PRODUCER, attributes },
        async (span) => {
          try {
            const result = await run();
            span.setAttribute('dtm.outcome', statusOf(result));
            return result;
          } catch (error) {
            fail(span, error);
            throw error;
          } finally {
            span.end();
          }
        },
      );
    },
    branch: (about, run) => {
      const attributes = {
        'dtm.gid': about.gid,
        'dtm.type': about.transType,
        'dtm.branch_id': about.branchId,
        'dtm.op': about.op,
      };
      const name = `dtm ${about.op} ${about.handler}`;
      return spans().startActiveSpan(
        name,
        { kind: SpanKind.CONSUMER, attributes },
        parentOf(about.header),
        async (span) => {
          const verdict = await run();
          span.setAttribute('dtm.outcome', verdict.outcome);
          if (verdict.outcome === 'retry') fail(span, verdict.error);
          span.end();
          return verdict;
        },
      );
    },
  };
}

/** What an instrumentation of gRPC or HTTP has found stands; else what the submitter sent. */
function parentOf(header: (name: string) => string) {
  const active = context.active();
  if (trace.getSpan(active)) return active;
  return propagation.extract(active, header, { get: (from, key) => from(key) || undefined, keys: () => [] });
}

function fail(span: Span, error: unknown): void {
  if (error instanceof Error) span.recordException(error);
  span.setStatus({ code: SpanStatusCode.ERROR, message: String(error) });
}
