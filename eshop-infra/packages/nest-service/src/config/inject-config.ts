import { Inject } from '@nestjs/common';

/** Token of the service's checked configuration. */
export const CONFIG = Symbol.for('@eshop/nest-service:config');

/** Injects the service's whole configuration, typed `ServiceConfig & z.infer<typeof OwnSections>`. */
export const InjectConfig = (): ParameterDecorator & PropertyDecorator => Inject(CONFIG);
