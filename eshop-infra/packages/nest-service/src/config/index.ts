export { ConfigError, type ConfigIssue } from './config-error.js';
export { type Environment, envName } from './environment.js';
export { CONFIG, InjectConfig } from './inject-config.js';
export { type ConfigOf, type LoadConfigOptions, loadConfig } from './load-config.js';
export { redactConfig } from './redact.js';
export { secret } from './secret.js';
export { baseSections, dtmSection, type PortDefaults, type ServiceConfig } from './sections.js';
