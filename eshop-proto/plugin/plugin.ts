import { createEcmaScriptPlugin, type Schema } from '@bufbuild/protoplugin';
import { emitCodes } from './emit/codes.ts';
import { emitContract } from './emit/contract.ts';
import { emitDescriptors } from './emit/descriptors.ts';
import { emitModule } from './emit/module.ts';
import { emitTables } from './emit/tables.ts';
import { readModel } from './model/model.ts';

/**
 * protoc plugin: from the contract's .proto files, next to ts-proto's codecs,
 * - `codes.ts`: the table of the enum eshop.v1.Code,
 * - `<file>_tables.ts`: what the runtime must know of each message,
 * - `<file>_descriptors.ts` and `<file>_contract.ts` for each file with a service,
 * - `<module>.ts`: what the package exports under that import path.
 */
export const plugin = createEcmaScriptPlugin({
  name: 'protoc-gen-eshop',
  version: 'v1',
  generateTs(schema: Schema) {
    const model = readModel(schema);
    if (model.codes.length > 0) emitCodes(schema, model.codes);
    for (const file of model.files) {
      emitTables(schema, file);
      if (!file.service) continue;
      emitDescriptors(schema, file);
      emitContract(schema, file);
      emitModule(schema, file, file.service);
    }
  },
});
