export { z } from 'zod';
export {
  CONFIG,
  ConfigError,
  type ConfigIssue,
  type ConfigOf,
  dtmSection,
  InjectConfig,
  type LoadConfigOptions,
  loadConfig,
  type ServiceConfig,
  secret,
} from './config/index.js';
export { apartFromReply, type RequestContext, requestContext, withRequestContext } from './context/index.js';
export { createService, type RunningService, type ServiceOptions } from './create-service.js';
export { fromDatabaseError, isDuplicateKey } from './errors/database-error.js';
export type { ErrorEnvelope } from './errors/envelope.js';
export { toContractError } from './errors/to-contract-error.js';
export { Gate, type GateOptions } from './gate.js';
export { Readiness, type ReadinessCheck, type ReadinessReport } from './health/readiness.js';
export { Metrics } from './metrics/metrics.js';
export { startService } from './start-service.js';
export { newTimeID } from './time-id.js';
